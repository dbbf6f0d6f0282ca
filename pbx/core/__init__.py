"""What a call is. Pure: no I/O, no clock, no random ids, no logging, no framework."""
