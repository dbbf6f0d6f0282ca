"""The command line, one click group a file."""
