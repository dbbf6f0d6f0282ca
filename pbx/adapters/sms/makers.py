"""Makes a transport of each kind from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from crm.directory import Directory
from pbx.adapters.asterisk.texts import SipTexts
from pbx.adapters.public_http import PublicHttp
from pbx.adapters.sms.http import HttpTransport
from pbx.adapters.sms.sip_message import SipMessageTransport
from pbx.adapters.sms.smpp import SmppTransport
from pbx.services.ports_texts import MakeTransport


def transport_makers(
    sip_texts: SipTexts, http: PublicHttp, parts: Path, directory: Callable[[], Directory]
) -> Mapping[str, MakeTransport]:
    """By kind; ``parts`` is where SMPP keeps parts of texts that are not whole yet."""

    def home() -> str:
        return str(directory().settings["default_country"])

    return {
        "sip_message": lambda settings, sink: SipMessageTransport(settings, sink, sip_texts, directory),
        "http": lambda settings, sink: HttpTransport(settings, sink, http, home=home),
        "smpp": lambda settings, sink: SmppTransport(settings, sink, parts, home),
    }
