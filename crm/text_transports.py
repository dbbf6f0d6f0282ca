"""What each kind of text transport is told: its options and secrets, with the check of each. Adapters read these names.

A kind that learns something new gets a line here; CLI, API and console follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm import fields
from crm.errors import Refused

KINDS = ("sip_message", "http", "smpp")


@dataclass(frozen=True, slots=True)
class Option:
    """``secret`` ones are kept apart and never shown."""

    check: fields.Check
    description: str
    default: Any = None
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()


def _address(value: Any) -> str:
    pattern = r"https?://[^\s\"'<>\\]{1,1000}"
    return str(fields.matching(pattern, "Write the whole address, beginning with https://.")(value))


def _choice(description: str, default: str, *choices: str) -> Option:
    return Option(fields.choice(*choices), description, default, choices=choices)


def _plain(shortest: int, longest: int) -> fields.Check:
    return fields.matching(
        rf"[!-~]{{{shortest},{longest}}}", f"Use plain characters without spaces, {longest} at most."
    )


_TEXT, _SECRET = fields.text(300), fields.matching(r"[!-~]{1,500}", "A secret has printable ASCII without spaces.")
_LONG = fields.text(5_000, lines=True)

OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "sip_message": {
        "trunk": Option(fields.text(60), "The trunk (name or id); without one the first that is switched on."),
        "domain": Option(fields.host, "The host in the addresses of texts, where it is not that of the trunk."),
    },
    "http": {
        "provider": _choice("Whose API it is.", "twilio", "twilio", "telnyx", "template"),
        "url": Option(_address, "The address of its API, where it is not the usual one."),
        "account": Option(_TEXT, "The account, or messaging profile."),
        "template": Option(_LONG, "For provider “template”: the body of a request; its fields stand in double braces."),
        "content_type": Option(_TEXT, "For provider “template”: what the body is.", "application/json"),
        "method": _choice("For provider “template”: the method of a request.", "POST", "POST", "PUT", "GET"),
        "headers": Option(
            _LONG, "For provider “template”: headers, one a line, such as “Authorization: Bearer {{secret}}”."
        ),
        "repeatable": Option(
            fields.boolean, "For provider “template”: whether it sends a text once however often it is asked.", False
        ),
        "signature_header": Option(
            _TEXT, "For provider “template”: the header with the HMAC-SHA256 of a webhook.", "X-Signature"
        ),
        "timestamp_header": Option(_TEXT, "For provider “template”: the header with the time that is signed, too."),
        "came": Option(
            _LONG,
            "For provider “template”: where a webhook has a text: lines such as “sender = data.from”.",
        ),
        "became": Option(
            _LONG,
            "For provider “template”: where it has a report: lines such as “status = data.state”.",
        ),
        "id_path": Option(_TEXT, "For provider “template”: where the answer has its id, such as data.id."),
        "public_url": Option(_address, "The address under which the provider reaches us."),
        "secret": Option(_SECRET, "The token or password of the API.", secret=True),
        "signing_key": Option(_SECRET, "What it signs its webhooks with, or their public key.", secret=True),
    },
    "smpp": {
        "host": Option(fields.host, "Host of the SMSC.", required=True),
        "port": Option(fields.integer(1, 65535), "Its port.", 2775),
        "tls": Option(fields.boolean, "Whether the connection is encrypted.", False),
        "system_id": Option(_plain(1, 15), "Our name there.", required=True),
        "system_type": Option(_plain(0, 12), "What kind of system we are; often empty.", ""),
        "window": Option(fields.integer(1, 1000), "Texts that may wait for an answer at once.", 10),
        "alphabet": _choice("What the SMSC takes its default alphabet for.", "gsm7", "gsm7", "latin1"),
        "receipt_ids": _choice(
            "How receipts name texts: as they were named, or the hexadecimal name in decimal.",
            "same",
            "same",
            "decimal",
        ),
        "enquire_s": Option(fields.integer(5, 3600), "How often a silent connection is tried, in seconds.", 30),
        "password": Option(_plain(0, 8), "Its password, 8 characters at most.", secret=True),
    },
}


def read(kind: str, options: Mapping[str, Any], secrets: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Both checked, with what was left out at its default. Raises Refused with the option's name as field."""
    known = OPTIONS[kind]
    kept = _read({name: each for name, each in known.items() if not each.secret}, options, "options")
    hidden = _read({name: each for name, each in known.items() if each.secret}, secrets, "secrets")
    return kept, {name: str(value) for name, value in hidden.items()}


def _read(known: Mapping[str, Option], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if value not in (None, "")}
    try:
        kept = fields.read(
            values,
            {name: each.check for name, each in known.items()},
            [name for name, each in known.items() if each.required],
        )
    except Refused as refused:
        raise Refused(refused.code, refused.message, f"{where}.{refused.field}", refused.status) from None
    defaults = {name: each.default for name, each in known.items() if each.default is not None}
    return defaults | kept
