"""What a text is: how it is counted, which words are obeyed, whether it may leave, and what becomes of it. Pure."""
