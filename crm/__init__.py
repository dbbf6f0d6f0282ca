"""The store: people, companies, deals, users, numbers, phones and the log of calls. Imports nothing of ``pbx``."""
