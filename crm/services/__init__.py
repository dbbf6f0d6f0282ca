"""What may be done with the store, checked once for CLI, API and console."""
