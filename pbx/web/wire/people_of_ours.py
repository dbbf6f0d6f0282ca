"""Users, their numbers and phones, the ways out, groups, tokens: what admins change."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from crm import records
from crm.services.settings import SettingView
from pbx.web.wire.base import Answer, Body, PageQuery, Query, view

Role = Literal["rep", "manager", "admin"]
Policy = Literal["inherit", "on", "off"]
Accept = Literal["inherit", "any_key", "none"]

UserView = view(records.User)
NumberView = view(records.Number)
DeviceView = view(records.Device)
TrunkView = view(records.Trunk)
GroupView = view(records.Group)
TokenView = view(records.Token)
LoginView = view(records.LoginSession, "Login")
AuditView = view(records.AuditEntry)
DoNotCallView = view(records.DoNotCallEntry)
SettingAnswer = view(SettingView, "Setting")


class OwnSettings(Body):
    """What users may change for themselves; the next call uses it (I4)."""

    name: str = ""
    language: str = ""
    time_zone: str = ""
    available: bool = Field(True, description="False: your phones are not rung; your forwarding number is.")
    forwarding_number: str | None = Field(None, description="Any notation; null takes it away.")
    forward_accept: Accept = "inherit"
    ring_time_s: int = 25
    voicemail_enabled: bool = False


class PasswordChange(Body):
    old: str = Field(max_length=1_000)
    new: str = Field(max_length=1_000)


class UserChange(Body):
    email: str = ""
    name: str = ""
    role: Role = "rep"
    password: str | None = Field(None, max_length=1_000)
    language: str = "en"
    time_zone: str = "UTC"
    country: str = "US"
    active: bool = True
    available: bool = True
    forwarding_number: str | None = None
    ring_time_s: int = 25
    voicemail_enabled: bool = False
    forward_accept: Accept = "inherit"
    recording_policy: Policy = "inherit"
    may_call: bool = True
    max_concurrent: int | None = None
    spend_cap_micros: int | None = None


class NewUser(UserChange):
    email: str = Field(examples=["rep@example.com"])
    name: str


class UserQuery(Query):
    role: Role | None = None
    active: bool | None = None


class NumberChange(Body):
    user: str | None = Field(None, description="Id or e-mail address; null frees the number.")
    voice: bool = True
    sms: bool = True
    label: str = ""


class NewNumber(NumberChange):
    number: str = Field(examples=["+14155550101"])
    country: str = Field("", description="Two letters; found out from the number where left out.")


class NumberQuery(Query):
    free: bool | None = None


class DeviceChange(Body):
    name: str = ""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    enabled: bool = True


class NewDevice(Body):
    user: str = Field(description="Id or e-mail address.")
    name: str
    kind: Literal["sip", "webrtc"] = Field("sip", description="sip: browsers get a phone by signing in.")
    transport: Literal["udp", "tcp", "tls"] = "udp"


class DeviceQuery(Query):
    user: str | None = None


class TrunkChange(Body):
    name: str = ""
    mode: str = Field("address", description="register or address")
    host: str = ""
    port: int = 5060
    transport: str = "udp"
    username: str = ""
    secret: str = Field("", description="Written only, never read back.")
    priority: int = 10
    number_format: str = "e164"
    prefix: str = ""
    codecs: list[str] = Field(default_factory=list)
    max_channels: int | None = None
    calls_per_second: int | None = None
    match_addresses: list[str] = Field(default_factory=list)
    enabled: bool = True


class NewTrunk(TrunkChange):
    name: str
    host: str


class GroupChange(Body):
    name: str = ""
    description: str = ""
    members: list[str] = Field([], description="Ids or e-mail addresses of users.")


class NewGroup(GroupChange):
    name: str


class SettingChange(Body):
    value: Any


class DoNotCallChange(Body):
    reason: str = ""
    source: str = ""


class NewDoNotCall(DoNotCallChange):
    number: str


class TokenChange(Body):
    name: str = ""
    scopes: list[str] = Field(default_factory=list)


class NewToken(TokenChange):
    name: str
    scopes: list[str]
    expires_in_days: int | None = None
    user: str | None = Field(None, description="Whom it acts for; admins only. Without it: yourself.")


class AuditQuery(PageQuery):
    object_id: str | None = None


class DeviceWithSecret(Answer):
    device: DeviceView  # type: ignore[valid-type]
    secret: str = Field(description="The SIP password. Shown this once.")
    sip: dict[str, Any] = Field(description="What to enter into the phone.")


class TokenWithSecret(Answer):
    token: TokenView  # type: ignore[valid-type]
    secret: str = Field(description="Send it as `Authorization: Bearer …`. Shown this once.")


class AuditVerified(Answer):
    intact: bool
    broken_at: int | None = Field(description="The first entry that does not fit the one before it.")
