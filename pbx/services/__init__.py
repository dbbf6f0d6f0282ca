"""The use cases, over ports that adapters fulfil."""
