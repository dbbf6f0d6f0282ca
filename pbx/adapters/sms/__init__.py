"""Transports of texts, by their kind: each fulfils :class:`pbx.services.ports_texts.SmsTransport`."""

from __future__ import annotations

from collections.abc import Mapping

from pbx.services.ports_texts import MakeTransport

MAKERS: Mapping[str, MakeTransport] = {}
