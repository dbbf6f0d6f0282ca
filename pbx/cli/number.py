"""`pbx number`: telephone numbers and who has them (N1 to N3)."""

from __future__ import annotations

from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("user", "Who has it (e-mail address or id); none for nobody."),
    Field("country", "Two letters, where the number does not tell."),
    Field("voice", "Can make and take calls.", "flag"),
    Field("sms", "Can send and take texts.", "flag"),
    Field("label", "A note, for example “main line”."),
)

number_command = group(
    Noun(
        "number",
        "Telephone numbers: who has them and what they can do. Any notation is understood.",
        "numbers",
        "NUMBER",
        ("e164", "country", "voice", "sms", "user_id", "label"),
        add=(Field("number", "The number, for example +14155550101.", required=True), *_FIELDS),
        change=_FIELDS,
        filters=(Field("free", "Only numbers nobody has, or only those somebody has.", "flag"),),
    )
)
