"""The practice carrier: a second Asterisk that plays the public network, on loopback.

Its numbers stand in ``asterisk-config/practice/extensions.conf``; here it is started, and made to call.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pbx.adapters.asterisk.ami_once import ami_once
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.instance import AMI_USER, Instance, own_modules, prompts_of
from pbx.adapters.asterisk.layout import TEMPLATES, Layout
from pbx.adapters.asterisk.texts import pieces
from pbx.config import Config

Play = Literal["tone", "echo", "speech", "silence"]
PLAYS: tuple[Play, ...] = ("tone", "echo", "speech", "silence")
ANONYMOUS = "anonymous"
LONGEST_TEXT = 10_000

# Files that mean the same for both instances; pjsip, manager, modules, http and the dialplan are the carrier's own.
_SHARED = (
    *("asterisk", "logger", "indications", "musiconhold", "features", "cdr", "cel", "stasis", "acl"),
    *("udptl", "ccss", "codecs", "pjproject", "rtp", "websocket_client"),
)
_NUMBER = re.compile(r"\+?[0-9]{3,20}")

# Q.850 causes, as the carrier's Asterisk understands the answer of the one who was called.
_RESULTS = {
    1: "unallocated",
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    20: "no_answer",
    21: "declined",
    34: "congestion",
    42: "congestion",
}
_REASON_TIMEOUT = "3"  # of OriginateResponse: it rang to the end


@dataclass(frozen=True, slots=True)
class PracticeCall:
    """A call the carrier made: its channel id there, and how it went."""

    channel: str
    result: str

    @property
    def answered(self) -> bool:
        return self.result == "answered"


class PracticeCarrier(Instance):
    """Start it beside the engine's Asterisk; the trunk between them is known by address and port both ways."""

    name = "The practice carrier"

    def __init__(self, config: Config, prefix: Path, *, with_parent: bool = True) -> None:
        super().__init__(prefix, Layout(config.home / "practice"), with_parent=with_parent)
        self._config = config
        self._secret = config.secrets().practice_ami

    def render(self) -> None:
        super().render()
        self.layout.link_sounds(prompts_of(self._config))

    def values(self) -> Mapping[str, str]:
        config = self._config
        everywhere = config.sip_host in ("0.0.0.0", "::", "")
        return {
            "language": "en",
            "ami_port": str(config.practice_ami_port),
            "ami_secret": self._secret,
            "rtp_start": str(config.practice_rtp_start),
            "rtp_end": str(config.practice_rtp_end),
            "ice": "",
            "sip_port": str(config.practice_sip_port),
            "engine_host": "127.0.0.1" if everywhere else config.sip_host,
            "engine_port": str(config.sip_port),
            "own_modules": own_modules(self.prefix),
            "music": str(prompts_of(config).music),
        }

    def templates(self) -> list[Path]:
        shared = [TEMPLATES / f"{name}.conf" for name in _SHARED]
        return [*shared, *(path for path in self._own() if path.name != "extensions.conf")]

    def dialplans(self) -> list[Path]:
        """Copied, not filled: a dialplan's own ``${…}`` are Asterisk's."""
        return [TEMPLATES / "practice/extensions.conf"]

    def ports(self) -> list[tuple[str, str, int, str]]:
        config = self._config
        return [
            ("udp", "127.0.0.1", config.practice_sip_port, "practice_sip_port"),
            ("tcp", "127.0.0.1", config.practice_ami_port, "practice_ami_port"),
        ]

    async def call(
        self,
        from_number: str,
        to_number: str,
        play: Play = "tone",
        duration_s: float = 30.0,
        *,
        hz: int = 1000,
        digits: str = "",
        ring_s: float = 60.0,
    ) -> PracticeCall:
        """Have somebody call a DID; returns when answered or given up. Raises BuildError for what is no number.

        ``from_number`` is shown as it stands, or ``anonymous``. Once answered the caller sends ``digits`` as DTMF,
        then plays: a tone of ``hz``, an echo, speech or silence, and hangs up after ``duration_s``.
        """
        channel = f"practice-{secrets.token_hex(6)}"
        action = self._originate(channel, from_number, to_number, play, ring_s)
        action["Variable"] = f"HZ={int(hz)},SECONDS={duration_s:.1f},DIGITS={_digits(digits)}"
        if from_number == ANONYMOUS:
            action["Variable"] += ",CALLERID(num-pres)=prohib,CALLERID(name-pres)=prohib"
        return PracticeCall(channel, await self._ask(action, ring_s))

    async def there(self) -> bool:
        """Whether it runs, and is ours."""
        try:
            await ami_once(*self._ami(), {"Action": "Ping"}, 2.0)
        except (BuildError, OSError, EOFError):  # TimeoutError is an OSError
            return False
        return True

    async def hang_up(self, channel: str) -> None:
        """End a call that the carrier made; harmless when it has ended."""
        try:
            await ami_once(*self._ami(), {"Action": "Hangup", "Channel": channel})
        except BuildError:
            return

    def _originate(self, channel: str, from_number: str, to_number: str, play: Play, ring_s: float) -> dict[str, str]:
        if play not in PLAYS:
            raise BuildError(f"A practice caller cannot play “{play}”: choose one of {', '.join(PLAYS)}.")
        number = "" if from_number == ANONYMOUS else _number(from_number)
        return {
            "Action": "Originate",
            "ChannelId": channel,
            "Channel": f"PJSIP/{_number(to_number)}@engine",
            "Context": "caller",
            "Exten": f"play{play}",
            "Priority": "1",
            "CallerID": f"<{number}>",
            "Timeout": str(int(ring_s * 1000)),
            "Async": "true",
        }

    async def text(self, from_number: str, to_number: str, body: str) -> tuple[int, str]:
        """Send one of our numbers a text; what was answered, as SIP says it. Raises BuildError."""
        if not body or len(body.encode()) > LONGEST_TEXT:
            raise BuildError(f"A text has one character at least, and {LONGEST_TEXT} octets at most.")
        text = f"practice-{secrets.token_hex(8)}"
        action = {
            "Action": "SwitchhookText",
            "Id": text,
            "Endpoint": "engine",
            "Uri": f"sip:{_number(to_number)}@{self.values()['engine_host']}:{self._config.sip_port}",
            "From": f"<sip:{_number(from_number)}@127.0.0.1>",
            **pieces(body),
        }
        try:
            answer = await ami_once(*self._ami(), action, 30, until=lambda event: event.get("Id") == text)
        except OSError as error:
            raise BuildError("The practice carrier does not run: start it with “make up”.") from error
        return int(answer["Status"]), answer["Reason"]

    async def _ask(self, action: Mapping[str, str], ring_s: float) -> str:
        port, user, secret = self._ami()
        outcome = _Outcome(action["ChannelId"])
        try:
            await ami_once(port, user, secret, action, ring_s + 10, until=outcome)
        except OSError as error:
            raise BuildError("The practice carrier does not run: start it with “make up”.") from error
        return outcome.result

    def _ami(self) -> tuple[int, str, str]:
        return self._config.practice_ami_port, AMI_USER, self._secret

    @staticmethod
    def _own() -> list[Path]:
        return sorted((TEMPLATES / "practice").glob("*.conf"))


class PracticeCaller:
    """The carrier that runs beside this engine, as :class:`pbx.services.practice.Carrier`."""

    def __init__(self, config: Config) -> None:
        self._carrier = PracticeCarrier(config, config.cache)

    async def there(self) -> bool:
        return await self._carrier.there()

    async def call(self, from_number: str, to_number: str) -> str:
        try:
            return (await self._carrier.call(from_number, to_number, "speech")).result
        except (BuildError, OSError, EOFError):  # it was stopped meanwhile
            return "failed"


class _Outcome:
    """Reads from AMI's events how one originated call went: its response says only whether it was answered."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._response: dict[str, str] = {}
        self._cause: int | None = None
        self._existed = False

    def __call__(self, event: dict[str, str]) -> bool:
        """Note one event; True when everything is known."""
        if event.get("Uniqueid") != self._channel:
            return False
        name = event.get("Event")
        self._existed |= name == "Newchannel"
        if name == "Hangup":
            self._cause = int(event.get("Cause", "0"))
        if name == "OriginateResponse":
            self._response = event
        ended = self._cause is not None or not self._existed
        return bool(self._response) and (self._response["Response"] == "Success" or ended)

    @property
    def result(self) -> str:
        if self._response["Response"] == "Success":
            return "answered"
        if self._response.get("Reason") == _REASON_TIMEOUT:
            return "no_answer"
        return _RESULTS.get(self._cause or 0, "failed")


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise BuildError(f"“{text}” is no number: write it as +14155550101.")
    return text


def _digits(text: str) -> str:
    if not re.fullmatch(r"[0-9A-D*#w]{0,40}", text):
        raise BuildError(f"“{text}” are no digits to press: use 0 to 9, * and #, and w for a pause.")
    return text
