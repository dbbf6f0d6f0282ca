"""The command line: one file for each group of commands, read only when it is asked for."""
