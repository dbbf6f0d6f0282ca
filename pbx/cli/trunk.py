"""`pbx trunk`: carriers, tried in the order of their priority."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("name", "What you call it.", required=True),
    Field("host", "The carrier's host name or address.", required=True),
    Field("mode", "Do we register there, or does the carrier know our address?", choices=("register", "address")),
    Field("port", "The carrier's SIP port.", "number"),
    Field("transport", "How we connect.", choices=("udp", "tcp", "tls")),
    Field("username", "The account's user name."),
    Field("secret-file", "The account's secret.", "secret", "secret"),
    Field("priority", "Lower is tried first.", "number"),
    Field("number-format", "How the carrier wants numbers, for example e164."),
    Field("prefix", "Digits the carrier wants before each number."),
    Field("codec", "In the order wanted.", "list", "codecs"),
    Field("max-channels", "Calls at once; none for no limit.", "number"),
    Field("calls-per-second", "New calls a second; none for no limit.", "number"),
    Field("match-address", "Addresses and networks the carrier calls from.", "list", "match_addresses"),
    Field("enabled", "A trunk that is switched off is not used.", "flag"),
)

trunk_command = group(
    Noun(
        "trunk",
        "Carriers, in the order in which they are tried. A trunk is named by its name or id.",
        "trunks",
        "TRUNK",
        ("name", "mode", "host", "port", "transport", "priority", "enabled", "id"),
        add=_FIELDS,
        change=_FIELDS,
        notice="voice",
    )
)
