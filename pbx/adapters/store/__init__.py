"""What happened, kept: a journal on disk at once, the store when it can."""
