"""What the switch must know, made whole from the directory: phones, trunks, and what to do while the engine is away."""

from __future__ import annotations

from typing import Literal, cast

from crm import phone_numbers
from crm import records as store
from crm.directory import Directory
from pbx.core.events import Direction
from pbx.core.gate import Destination
from pbx.services.fallback_gate import fallback_gate
from pbx.services.gatekeeper import may_be_forwarded_to
from pbx.services.numbers import emergency_numbers
from pbx.services.persons import recording_plan
from pbx.services.ports_provision import (
    Device,
    EmergencyNumber,
    FallbackNumber,
    Provisioning,
    Route,
    Transport,
    Trunk,
)
from pbx.services.routing import as_dialled


def provisioning(directory: Directory, spool: str = "", *, credit: bool = True) -> Provisioning:
    """Pure: the same directory gives the same answer. ``spool`` is where is recorded while the engine is away. Without
    ``credit`` nothing that may cost something leaves meanwhile, as when the engine is there (N4)."""
    users = [user for user in directory.users.values() if user.active]
    return Provisioning(
        devices=[_device(device, user) for user in users for device in _phones(directory, user)],
        browsers=browsers(directory),
        trunks=[_trunk(trunk) for trunk in directory.trunks if trunk.enabled],
        fallback=[_fallback(directory, user, credit) for user in users if user.number],
        emergency=_emergency(directory, users),
        gate=fallback_gate(directory, credit=credit),
        spool=spool,
    )


def browsers(directory: Directory) -> list[Device]:
    """The phones of logins, whose owner is there and active."""
    found = ((device, directory.users.get(device.user_id)) for device in directory.browsers())
    return [_device(device, user) for device, user in found if user is not None and user.active]


def _phones(directory: Directory, user: store.User) -> list[store.Device]:
    """Those that ring while the engine is away, too: browsers are reached through it."""
    return [device for device in directory.devices_of(user.id) if device.kind != "webrtc"]


def _device(device: store.Device, user: store.User) -> Device:
    return Device(
        id=device.id,
        transport="tcp" if device.kind == "webrtc" else cast(Transport, device.transport),
        ha1=device.ha1,
        did=user.number or "",
        caller_name=user.name,
        language=user.language,
    )


def _trunk(trunk: store.Trunk) -> Trunk:
    mode: Literal["registration", "address"] = "registration" if trunk.mode == "register" else "address"
    return Trunk(
        id=trunk.id,
        mode=mode,
        host=trunk.host,
        port=trunk.port,
        transport=cast(Transport, trunk.transport),
        username=trunk.username,
        secret=trunk.secret,
        codecs=trunk.codecs,
        match_addresses=trunk.match_addresses,
    )


def _fallback(directory: Directory, user: store.User, credit: bool) -> FallbackNumber:
    did = user.number or ""
    forward: tuple[Route, ...] = ()
    recording = recording_plan(user, directory, Direction.INBOUND)
    if credit and user.forwarding_number and may_be_forwarded_to(user, directory):
        forward = _routes(directory, Destination(user.forwarding_number))
    return FallbackNumber(
        did=did,
        forms=phone_numbers.variants(did),
        devices=tuple(device.id for device in _phones(directory, user) if user.available),
        ring_s=user.ring_time_s,
        forward=forward,
        language=user.language,
        record=recording.enabled,
        announce=recording.announce,
    )


def _emergency(directory: Directory, users: list[store.User]) -> list[EmergencyNumber]:
    """Every emergency number of a country that one of our users is in."""
    found: set[str] = set()
    for country in {user.country for user in users}:
        found.update(emergency_numbers(directory.settings, country))
    shown = str(directory.settings.get("emergency.caller_id") or "")
    return [
        EmergencyNumber(number, _routes(directory, Destination(number, emergency=True)), shown)
        for number in sorted(found)
    ]


def _routes(directory: Directory, destination: Destination) -> tuple[Route, ...]:
    return tuple(Route(trunk.id, as_dialled(trunk, destination)) for trunk in directory.trunks if trunk.enabled)
