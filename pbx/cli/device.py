"""`pbx device`: phones of users. Names and secrets are generated; a secret is shown once."""

from __future__ import annotations

import click

from pbx.cli.app import App, json_option
from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group, show

_FIELDS = (
    Field("name", "What the user calls it, for example “Desk phone”."),
    Field("transport", "How the phone connects; tls also encrypts the sound.", choices=("udp", "tcp", "tls")),
    Field("enabled", "A device that is switched off cannot register.", "flag"),
)

device_command = group(
    Noun(
        "device",
        "Phones of users. The id is the SIP user name; the secret is shown once, when it is made.",
        "devices",
        "DEVICE",
        ("id", "name", "user_id", "kind", "transport", "enabled"),
        add=(
            Field("user", "Whose phone it is (e-mail address or id).", required=True),
            Field("kind", "sip; browsers get a phone by signing in.", choices=("sip", "webrtc")),
            *_FIELDS,
        ),
        change=_FIELDS,
        filters=(Field("user", "Only this user's."),),
    )
)


@device_command.command("renew-secret")
@click.argument("device", metavar="DEVICE")
@json_option
@click.pass_obj
def renew_secret(app: App, device: str) -> None:
    """Make a new secret, shown once; the old one is of no use from then on."""
    from crm.services import devices

    show(app, app.write(lambda work: devices.renew_secret(work, device)))
