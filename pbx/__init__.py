"""The telephony engine: what a call is, what is done with it, and the adapters to the world."""
