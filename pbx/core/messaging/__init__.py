"""What a text is: how it is counted, whether it may leave, and what becomes of it. Pure."""
