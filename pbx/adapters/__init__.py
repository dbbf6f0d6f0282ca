"""The world behind the ports: Asterisk, the store, the clock."""
