"""More than two hundred texts for number fields: every way to end a number and begin something else."""

from __future__ import annotations

from tests.support.hostile import HOSTILE_NUMBERS, HOSTILE_TEXTS

GOOD = "+12065550150"
_PAYLOADS = (
    "&Local/100@from-endpoint/n",
    "%26Local%2F100",
    "@evil.example",
    "%40evil.example",
    ";transport=tcp",
    "?Replaces=1",
    ",30,g",
    "|30|g",
    "^30",
    "${SHELL(id)}",
    "${CHANNEL}",
    "$[1+1]",
    "`id`",
    "$(id)",
    "'; DROP TABLE calls; --",
    '" OR ""="',
    "\\",
    "/../../etc/passwd",
    "\r\nVia: SIP/2.0/UDP evil",
    "\n\nAction: Originate",
    "\0",
    "\u202e",
    "<sip:evil@evil.example>",
    "sip:",
    "tel:",
    "PJSIP/",
    "!",
    "_X.",
)


def _woven() -> list[str]:
    shapes = []
    for payload in _PAYLOADS:
        shapes += [payload, payload + GOOD, GOOD + payload, GOOD[:6] + payload + GOOD[6:], f"{GOOD}{payload}{GOOD}"]
        shapes.append(f" {payload} ")
    return shapes


INJECTIONS: tuple[str, ...] = tuple(dict.fromkeys((*HOSTILE_NUMBERS, *HOSTILE_TEXTS, *_woven())))
