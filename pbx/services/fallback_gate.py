"""What users may dial while the engine is away: a small part of what the gate allows, written down beforehand (P5).

Where in doubt it is not allowed. Countries: the organisation's own and those on its list, if the gate lets them be
called. Never: premium and satellite numbers, whatever prefix is allowed; denied prefixes; numbers that are not to be
called; users whom the gate would let call nobody. Caps and spending cannot be known: the dialplan limits each phone by
itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from crm import dialling_plans
from crm.directory import Directory
from crm.records import Device, User
from pbx.core.events import Direction
from pbx.services.persons import recording_plan
from pbx.services.ports_provision import FallbackCaller, FallbackCountry, FallbackGate, WayOut

MOST_REFUSED = 5000
"""With a longer list of numbers that are not to be called, nobody calls out by the dialplan: it is read anew with each
change."""


def fallback_gate(directory: Directory, *, credit: bool = True) -> FallbackGate:
    """Without ``credit`` no way leads out: colleagues are rung all the same."""
    settings = directory.settings
    if settings["gate.calling_hours"] == "all":  # the dialplan knows no local time
        return FallbackGate()
    if not settings["fallback.outbound"] or len(directory.do_not_call) > MOST_REFUSED:
        return FallbackGate()
    return FallbackGate(
        callers=tuple(_callers(directory)),
        countries=tuple(_countries(directory)),
        ways=tuple(
            WayOut(trunk.id, trunk.number_format, trunk.prefix)
            for trunk in directory.trunks
            if trunk.enabled and credit
        ),
        denied_prefixes=tuple(settings["gate.deny_prefixes"]),
        refused=tuple(sorted(directory.do_not_call)),
    )


def _callers(directory: Directory) -> Iterator[FallbackCaller]:
    for user in directory.users.values():
        number = directory.number_of(user.id)
        if user.active and user.may_call and number is not None and number.voice:
            for device in directory.devices_of(user.id):
                caller = _caller(directory, user, device)
                if caller is not None and device.kind != "webrtc":
                    yield caller


def _caller(directory: Directory, user: User, device: Device) -> FallbackCaller | None:
    plan = dialling_plans.dialling_plan(user.country)
    if plan is None:
        return None
    recording = recording_plan(user, directory, Direction.OUTBOUND)
    return FallbackCaller(
        device.id,
        user.number or "",
        plan.code,
        plan.international,
        plan.national,
        user.language or "en",
        recording.enabled,
        recording.announce,
    )


def _countries(directory: Directory) -> Iterator[FallbackCountry]:
    settings = directory.settings
    allowed, denied = settings["gate.allow_countries"], settings["gate.deny_countries"]
    for country in dict.fromkeys([str(settings["default_country"]), *allowed]):
        plan = dialling_plans.dialling_plan(country)
        if plan is not None and country not in denied and (not allowed or country in allowed):
            yield FallbackCountry(plan.code, plan.national, plan.kinds, plan.premium)
