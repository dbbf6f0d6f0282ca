"""What is kept around texts: transports, templates, opt-outs, brands and campaigns."""

from __future__ import annotations

from crm import tendlc
from crm.text_transports import KINDS
from pbx.cli.fields import Field
from pbx.cli.nouns import Noun

_PAGING = (Field("cursor", "Where the page before ended."), Field("limit", "How many, 500 at most.", "number"))

_TRANSPORT = (
    Field("name", "What you call it.", required=True),
    Field("priority", "Lower is tried first.", "number"),
    Field("option", "What it is told, for example host=smsc.example.com.", "pairs", "options"),
    Field("secret-file", "A secret, for example password=/path/to/file.", "secrets", "secrets"),
    Field("number", "A number of ours that goes by this one alone; without any, all others.", "list", "numbers"),
    Field("enabled", "A transport that is switched off is not used.", "flag"),
)
TRANSPORT = Noun(
    "transport",
    "What carries texts. A transport is named by its name or id.",
    "text_transports",
    "TRANSPORT",
    ("name", "kind", "priority", "numbers", "enabled", "id"),
    add=(Field("kind", "How it carries them.", choices=KINDS, required=True), *_TRANSPORT),
    change=_TRANSPORT,
)

_TEMPLATE = (
    Field("name", "What you call it.", required=True),
    Field("body", "The text, with fields such as {{contact.name}}.", "file", required=True),
    Field("group", "A group (name or id) who sees it; without any, everybody.", "list", "group_ids"),
    Field("position", "Lower ones are offered first.", "number"),
    Field("active", "A template that is switched off is not offered.", "flag"),
)
TEMPLATE = Noun(
    "template",
    "Texts written before. A template is named by its name or id.",
    "text_templates",
    "TEMPLATE",
    ("name", "body", "group_ids", "position", "active", "id"),
    add=_TEMPLATE,
    change=_TEMPLATE,
)

_BRAND = (
    Field("name", "What you call it.", required=True),
    Field("detail", "A field of the registry, for example ein=12-3456789.", "pairs", "details"),
    Field("state", "What the registry says.", choices=tendlc.BRAND_STATES),
    Field("registry-id", "Its id there."),
    Field("score", "The score of its vetting; none for none.", "number"),
    Field("note", "What the registry said, for example why not."),
)
BRAND = Noun(
    "brand",
    "Brands of A2P 10DLC: who writes. A brand is named by its name or id.",
    "text_brands",
    "BRAND",
    ("name", "state", "registry_id", "score", "note", "id"),
    add=_BRAND,
    change=_BRAND,
)

_CAMPAIGN = (
    Field("name", "What you call it.", required=True),
    Field("brand", "Its brand, by name or id.", required=True),
    Field("use-case", "What it is for.", choices=tendlc.USE_CASES),
    Field("message-class", "The carriers' class, for example T."),
    Field("detail", "A field of the registry, for example sample1=Hello.", "pairs", "details"),
    Field("state", "What the registry says.", choices=tendlc.CAMPAIGN_STATES),
    Field("registry-id", "Its id there."),
    Field("note", "What the registry said, for example why not."),
    Field("number", "A number of ours that sends through it.", "list", "numbers"),
)
CAMPAIGN = Noun(
    "campaign",
    "Campaigns of A2P 10DLC: what is written. A campaign is named by its name or id.",
    "text_campaigns",
    "CAMPAIGN",
    ("name", "state", "use_case", "message_class", "numbers", "registry_id", "id"),
    add=_CAMPAIGN,
    change=_CAMPAIGN,
)
OPT_OUT_COLUMNS = ("e164", "source", "detail", "created_us", "actor")
OPT_OUT_PAGING = _PAGING
