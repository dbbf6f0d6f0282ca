"""Spoken prompts and hold music, and the scripts that make them (`python -m prompts.make`)."""
