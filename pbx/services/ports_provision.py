"""What the switch must know of phones, trunks and numbers, and the port that tells it.

The store is the truth; these values are made from it, whole, at every change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Transport = Literal["udp", "tcp", "tls"]
TrunkMode = Literal["registration", "address"]


class ProvisionError(Exception):
    """A value that no switch can be given; the text is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Device:
    """A user's phone, or the phone of a browser's login. ``ha1`` is MD5(id:switchhook:secret) in hex.

    ``did`` and ``caller_name`` are what the phone shows to others, whatever it says itself (V6). ``tls`` as
    transport means that its media must be SRTP.
    """

    id: str
    transport: Transport = "udp"
    ha1: str = ""
    did: str = ""
    caller_name: str = ""
    language: str = "en"
    codecs: tuple[str, ...] = ()
    mailbox: str = ""
    allow_transfer: bool = False


@dataclass(frozen=True, slots=True)
class Trunk:
    """A carrier. ``match_addresses`` are addresses, networks or address:port that its calls come from."""

    id: str
    mode: TrunkMode
    host: str
    port: int = 5060
    transport: Transport = "udp"
    username: str = ""
    secret: str = ""
    codecs: tuple[str, ...] = ("ulaw", "alaw")
    match_addresses: tuple[str, ...] = ()
    from_domain: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A number as it is dialled on one trunk, in that trunk's own format."""

    trunk: str
    number: str


@dataclass(frozen=True, slots=True)
class FallbackNumber:
    """What happens to calls to a DID while the engine is away (P2).

    ``forms`` are further notations in which trunks deliver the number (without plus, national). ``forward`` is the
    user's forwarding number on each trunk that may carry it, best first.
    """

    did: str
    forms: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ring_s: int = 25
    forward: tuple[Route, ...] = ()
    language: str = "en"
    record: bool = False
    announce: bool = False


@dataclass(frozen=True, slots=True)
class FallbackCaller:
    """A phone that may call out while the engine is away. ``did`` is what the called person sees; the next three are
    how numbers are dialled where its owner is."""

    device: str
    did: str
    country_code: str
    international: str
    national: str
    language: str = "en"
    record: bool = False
    announce: bool = False


@dataclass(frozen=True, slots=True)
class FallbackCountry:
    """A country that may be called then. The patterns are POSIX regular expressions of national numbers; what
    ``premium`` matches may not."""

    code: str
    national: str
    kinds: tuple[str, ...]
    premium: str = ""


@dataclass(frozen=True, slots=True)
class WayOut:
    """A trunk and how it wants numbers written; see ``crm.services.trunks`` for the formats."""

    trunk: str
    number_format: str = "e164"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class FallbackGate:
    """The small fixed gate of the dialplan: who may call where, by which trunks, and which numbers are never called."""

    callers: tuple[FallbackCaller, ...] = ()
    countries: tuple[FallbackCountry, ...] = ()
    ways: tuple[WayOut, ...] = ()
    denied_prefixes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencyNumber:
    """A number that leaves by trunk even while the engine is away; ``routes`` best first. ``caller_id`` is shown for
    users without a number of their own."""

    number: str
    routes: tuple[Route, ...]
    caller_id: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another Asterisk of ours, which rings phones of this one and whose phones are rung from here."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Everything, whole. ``browsers`` come and go with logins; the rest is what people configured, but for ``spool``,
    the directory where the dialplan records while the engine is away (empty: it does not). Of several switches only
    one ``registers`` with the carriers that want it, and ``peers`` are the others."""

    devices: Sequence[Device] = ()
    trunks: Sequence[Trunk] = ()
    fallback: Sequence[FallbackNumber] = ()
    emergency: Sequence[EmergencyNumber] = ()
    browsers: Sequence[Device] = ()
    gate: FallbackGate = FallbackGate()
    spool: str = ""
    peers: Sequence[Peer] = ()
    registers: bool = True


class Provisioner(Protocol):
    async def apply(self, wanted: Provisioning, *, force: bool = False) -> bool:
        """Make the switch know this; True where something changed. ``force``: tell it again even if not, but for the
        phones of browsers, which can take seconds: ``apply_browsers`` is to follow, and tells all of them again.

        The next call sees it; running calls are not touched. Raises ProvisionError.
        """

    async def apply_browsers(self, browsers: Sequence[Device]) -> None:
        """Make the switch know these phones of browsers and no others; calls of those that are gone end."""
