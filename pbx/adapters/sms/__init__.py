"""Transports of texts, by their kind: each fulfils :class:`pbx.services.ports_texts.SmsTransport`."""
