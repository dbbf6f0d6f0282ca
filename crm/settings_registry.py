"""Every setting of the organisation: its key, kind, default, meaning and check. What is not here does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm import fields
from crm.errors import Refused
from crm.phone_numbers import is_country

DIRECTIONS = ("inbound", "outbound", "internal")
LANGUAGES = ("en", "ja")
ROLES = ("rep", "manager", "admin")


@dataclass(frozen=True, slots=True)
class Declared:
    """``kind`` is text, boolean, integer, choice, list or object: how forms and the CLI read it."""

    key: str
    kind: str
    default: Any
    description: str
    check: fields.Check
    choices: tuple[str, ...] = ()


def _prefix(value: Any) -> str:
    return str(fields.matching(r"\+[0-9]{1,15}", "A prefix is a plus and the first digits, for example +1900.")(value))


def _emergency(value: Any) -> dict[str, list[str]]:
    """Country (or * for every country) to the numbers that are always let through there."""
    if not isinstance(value, dict) or not value:
        raise Refused("invalid", 'This must be an object such as {"JP": ["110", "118", "119"]}.')
    number = fields.matching(r"[0-9]{2,6}", "An emergency number has two to six digits.")
    for name in value:
        if name != "*" and not is_country(name):
            raise Refused("invalid", "Countries are written with two letters, or * for every country.")
    return {str(name): fields.list_of(number, 20)(numbers) for name, numbers in value.items()}


def _ice_server(value: Any) -> dict[str, str]:
    """An address, or an object with user name and credential besides (RTCIceServer of the W3C's WebRTC)."""
    given = {"urls": value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise Refused("invalid", "Write an address such as stun:stun.example.com:3478, or an object with “urls”.")
    checks = {"urls": _ice_address, "username": fields.text(500), "credential": fields.text(500)}
    return {str(name): kept for name, kept in fields.read(given, checks, ("urls",)).items()}


def _ice_address(value: Any) -> str:
    pattern = r"(stun|stuns|turn|turns):[A-Za-z0-9.\-_\[\]:]{1,260}(\?transport=(udp|tcp))?"
    return str(fields.matching(pattern, "Write it like stun:stun.example.com:3478 or turn:turn.example.com.")(value))


def _plain_network(value: Any) -> str:
    kept = str(fields.network(value))
    if fields.has_port(kept):
        raise Refused("invalid", "Give the address or network without a port.")
    return kept


def _countries(value: Any) -> dict[str, list[str]]:
    """Country -> the countries that its numbers text to."""

    def code(given: Any) -> str:
        return "*" if given == "*" else fields.country(given)

    if not isinstance(value, dict):
        raise Refused("invalid", "This must be an object: countries, each with a list of countries.")
    return {code(name): fields.list_of(code, 300)(reached) for name, reached in value.items()}


def _text(key: str, default: str, description: str, check: fields.Check) -> Declared:
    return Declared(key, "text", default, description, check)


def _choice(key: str, default: str, description: str, *choices: str) -> Declared:
    return Declared(key, "choice", default, description, fields.choice(*choices), choices)


def _boolean(key: str, default: bool, description: str) -> Declared:
    return Declared(key, "boolean", default, description, fields.boolean)


def _integer(key: str, default: int | None, description: str, lowest: int, highest: int) -> Declared:
    check = fields.integer(lowest, highest)
    return Declared(key, "integer", default, description, fields.optional(check) if default is None else check)


def _list(key: str, default: list[str], description: str, item: fields.Check, most: int = 1000) -> Declared:
    return Declared(key, "list", default, description, fields.list_of(item, most))


EMERGENCY = {
    "*": ["112"],
    "US": ["911"],
    "CA": ["911"],
    "JP": ["110", "118", "119"],
    "GB": ["999"],
    "AU": ["000"],
    "NZ": ["111"],
}

TEXT_COUNTRIES = {"US": ["US", "CA", "PR"], "CA": ["CA", "US", "PR"], "PR": ["PR", "US", "CA"]}
"""A country that is not named texts to itself alone; "*" as an entry is every country, as a name every other one."""

_ALL = (
    _text("organisation.name", "Switchhook", "The organisation's name.", fields.text(100)),
    _text("default_country", "US", "Numbers without a country code are read as of this country.", fields.country),
    _choice("default_language", "en", "Language of prompts where the user has none.", *LANGUAGES),
    _text("default_time_zone", "UTC", "Time zone of new users.", fields.time_zone),
    _boolean("recording.enabled", False, "Record calls of users whose own policy is “inherit”."),
    _list(
        "recording.directions",
        ["inbound", "outbound"],
        "Which calls are recorded where recording is on.",
        fields.choice(*DIRECTIONS),
    ),
    _boolean("recording.announcement", False, "Tell the parties at the beginning that the call is recorded."),
    _boolean(
        "recording.follow_law",
        True,
        "Tell the parties of the recording wherever the law of either one’s place asks for it; see the rules.",
    ),
    _boolean("recording.private_words", True, "Keep what users say while the customer is on hold; only users hear it."),
    _choice("recording.codec", "opus", "How recordings are kept: opus (small) or flac (exact).", "opus", "flac"),
    _integer(
        "recording.lowest_free_mb",
        200,
        "Megabytes that must be free on the disk for a recording to be begun. 0: it is begun unless the disk is full.",
        0,
        100_000_000,
    ),
    _boolean(
        "fallback.outbound",
        True,
        "While the engine is away, phones may call numbers of the own country and of the countries that are allowed.",
    ),
    _list(
        "gate.allow_countries", [], "Only these countries may be called; empty allows every country.", fields.country
    ),
    _list("gate.deny_countries", [], "These countries may not be called.", fields.country),
    _list("gate.allow_prefixes", [], "Numbers that begin like this may be called, premium ones too.", _prefix),
    _list("gate.deny_prefixes", [], "Numbers that begin like this may not be called.", _prefix),
    _choice(
        "gate.calling_hours",
        "listed",
        "Which calls wait for the law’s calling hours: of call lists (by hand: a warning), all, or none (off).",
        "listed",
        "all",
        "off",
    ),
    _integer("gate.max_concurrent_org", None, "Outbound calls at once in all; empty: no limit.", 1, 100_000),
    _integer("gate.max_concurrent_user", 10, "Outbound calls at once of a user without an own limit.", 1, 10_000),
    _integer("gate.spend_cap_org_micros", None, "What all may spend, in micro-units; empty: no limit.", 0, 10**15),
    _integer("gate.spend_cap_user_micros", None, "What a user without an own cap may spend.", 0, 10**15),
    _integer(
        "gate.minute_price_micros",
        0,
        "What a started outbound minute costs to a number that no rate table knows, in micro-units.",
        0,
        10**12,
    ),
    _text("billing.currency", "USD", "Currency of the account and of all rates.", fields.currency),
    _integer("billing.complimentary_micros", 10_000_000, "Credit that the account starts with.", 0, 10**15),
    _boolean("billing.prepaid", True, "Refuse outbound calls and texts when the credit is used up."),
    _integer("billing.low_micros", 2_000_000, "An alert tells when the balance falls below this.", 0, 10**15),
    _integer("billing.text_minimum_micros", 100_000, "Balance that must be left for a text to be sent.", 0, 10**15),
    _choice(
        "forward.accept",
        "any_key",
        "Who takes a call on a forwarding number: who presses any key, or whoever answers.",
        "any_key",
        "none",
    ),
    _integer("forward.ring_time_s", 30, "How long a forwarding number rings, in seconds.", 5, 120),
    _integer(
        "conference.unattended_max_s",
        0,
        "How long a customer and an outside guest may talk on when the last user has left; 0: not at all.",
        0,
        14_400,
    ),
    _integer(
        "reload.wait_s",
        20,
        "How long a user whose page was reloaded, closed or cut off is waited for before the forwarding number rings.",
        3,
        300,
    ),
    _integer(
        "reload.others_after_s",
        8,
        "After so many seconds of waiting the user's other phones ring, too. 0: they do not.",
        0,
        300,
    ),
    _integer("voicemail.max_s", 120, "Longest voicemail message, in seconds.", 10, 600),
    _choice(
        "voicemail.mail",
        "file",
        "What users get by e-mail of a new message, where a mail server is set: the file, only a notice, or nothing.",
        *("file", "notice", "off"),
    ),
    _list(
        "webrtc.ice_servers",
        [],
        "STUN and TURN servers that browsers use: addresses, or objects with urls, username and credential.",
        _ice_server,
        10,
    ),
    _integer("block.tries", 5, "After so many wrong tries an address is blocked.", 2, 1000),
    _integer("block.window_s", 600, "Wrong tries count together within so many seconds.", 10, 86_400),
    _integer("block.first_minutes", 10, "How long an address is blocked at first; then twice as long.", 1, 10_000),
    _integer("block.longest_minutes", 1440, "No block by itself lasts longer.", 1, 100_000),
    _list("block.trusted_networks", [], "Addresses and networks that are never blocked.", _plain_network, 200),
    _integer("fraud.refused", 5, "Refused dials of a user within fraud.window_s that raise an alert.", 1, 1000),
    _integer("fraud.international", 10, "Calls abroad of a user within fraud.window_s that raise an alert.", 1, 1000),
    _integer("fraud.window_s", 60, "Dials count together within so many seconds.", 5, 86_400),
    _integer("texts.max_segments", 10, "Longest text, in segments.", 1, 50),
    _integer("texts.per_number_per_minute", 60, "Segments a minute from a number without a campaign.", 1, 100_000),
    _integer("texts.hold_hours", 24, "After so many hours a text that waits for a campaign fails.", 1, 720),
    Declared("texts.countries", "object", TEXT_COUNTRIES, "Countries that numbers of a country text to.", _countries),
    _integer("uploads.rep_mb_per_day", 1000, "Megabytes of files that a rep may upload within a day.", 1, 1_000_000),
    _list("scripts.roles", list(ROLES), "Scripts are switched on for users of these roles.", fields.choice(*ROLES)),
    _list(
        "scripts.groups", [], "Scripts are switched on for members of these groups, too (ids).", fields.text(60), 200
    ),
    _list("lists.roles", list(ROLES), "Call lists are switched on for users of these roles.", fields.choice(*ROLES)),
    _list(
        "lists.groups", [], "Call lists are switched on for members of these groups, too (ids).", fields.text(60), 200
    ),
    _boolean(
        "lists.wrap_up_required", False, "The summary of a listed call must be saved before the next call of the list."
    ),
    _integer(
        "lists.called_lately_minutes", 60, "Who was called within so many minutes is not called by a list.", 0, 10_080
    ),
    _choice(
        "texts.calling_hours",
        "first",
        "Which texts wait for the law’s hours: those to people who have not written within a day, all, or none (off).",
        "first",
        "all",
        "off",
    ),
    _integer("retention.recordings_days", None, "Recordings are destroyed after so many days; empty: kept.", 1, 36_500),
    _integer("retention.voicemails_days", None, "Voicemail is destroyed after so many days; empty: kept.", 1, 36_500),
    _integer("retention.texts_days", None, "Texts are destroyed after so many days; empty: kept.", 1, 36_500),
    _integer("retention.timelines_days", None, "What happened in a call, step by step; empty: kept.", 1, 36_500),
    _integer("retention.calls_days", None, "Calls with all that belongs to them; empty: kept.", 1, 36_500),
    Declared("emergency.numbers", "object", EMERGENCY, "Numbers that always pass, per country.", _emergency),
    _text(
        "emergency.caller_id",
        "",
        "Caller id of emergency calls of users without a number of their own, as E.164.",
        fields.optional(fields.phone("ZZ")),
    ),
)

REGISTRY: Mapping[str, Declared] = {declared.key: declared for declared in _ALL}


def effective(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting's value: the default where it was not changed. Values of keys of other versions are left out."""
    return {key: changed.get(key, declared.default) for key, declared in REGISTRY.items()}
