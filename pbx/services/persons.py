"""The users of ours as a call needs them at the moment it begins: from the directory, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from crm.directory import Directory
from crm.law import places
from crm.records import User
from pbx.core.events import Direction, Person, RecordingPlan, VoicemailPlan
from pbx.services.ports import Presence


class Persons:
    """``busy`` tells whether a user is on a call; ``directory`` gives the newest one."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        presence: Presence,
        busy: Callable[[str], bool],
        withheld: Callable[[], str] = lambda: "",
        greetings: str = "",
    ) -> None:
        """``withheld`` says why no recording can begin now; empty: it can. ``greetings`` is the folder of those that
        users recorded."""
        self._directory = directory
        self._presence = presence
        self._busy = busy
        self._withheld = withheld
        self._greetings = greetings

    def of(self, user: User, direction: Direction, other: str = "") -> Person:
        """A change that an admin made reaches the next call, because the next call asks here (A2). ``other`` is the
        number at the other end, as far as it is known: its law on recording counts beside ours."""
        directory = self._directory()
        devices = [device.id for device in directory.devices_of(user.id) if device.enabled]
        settings = directory.settings
        accept = user.forward_accept if user.forward_accept != "inherit" else settings["forward.accept"]
        return Person(
            user_id=user.id,
            name=user.name,
            did=user.number or "",
            language=user.language or settings["default_language"],
            phones=self._presence.phones(devices),
            busy=self._busy(user.id),
            away=not user.available,
            ring_time=timedelta(seconds=user.ring_time_s),
            forwarding=user.forwarding_number or "",
            forward_accept=accept != "none",
            forward_ring_time=timedelta(seconds=settings["forward.ring_time_s"]),
            voicemail=self._voicemail(user, directory),
            recording=replace(recording_plan(user, directory, direction, other), withheld=self._withheld()),
        )

    def at(self, number: str, direction: Direction, other: str = "") -> Person | None:
        """Who has this number of ours and can be called there."""
        user = self._directory().user_of(number)
        return self.of(user, direction, other) if user is not None and user.active else None

    def _voicemail(self, user: User, directory: Directory) -> VoicemailPlan | None:
        if not user.voicemail_enabled:
            return None
        longest = timedelta(seconds=directory.settings["voicemail.max_s"])
        if not user.greeting:
            return VoicemailPlan(longest)
        return VoicemailPlan(longest, f"{self._greetings}/{user.greeting}")


def recording_plan(user: User, directory: Directory, direction: Direction, other: str = "") -> RecordingPlan:
    """Policy per organisation, user and direction; the user's own word goes before the organisation's. Whether the
    parties are told says the organisation, or the law of either party's place: where the other one is not known, they
    are."""
    settings = directory.settings
    wanted = user.recording_policy
    on = settings["recording.enabled"] if wanted == "inherit" else wanted == "on"
    if not on or direction.value not in settings["recording.directions"]:
        return RecordingPlan()
    plan = RecordingPlan(
        enabled=True,
        announce=bool(settings["recording.announcement"]),
        private_words=bool(settings["recording.private_words"]),
    )
    return _lawful(plan, user, directory, other) if settings["recording.follow_law"] else plan


def _lawful(plan: RecordingPlan, user: User, directory: Directory, other: str) -> RecordingPlan:
    ours = places.of_number(user.number) if user.number else places.Place(user.country)
    consent = directory.law.consent(ours, places.of_number(other))
    if consent.play == "none":
        return plan
    told = plan.told if consent.play == "announcement" or plan.announce else "recording-beep"
    rules = tuple(rule.key for rule in consent.rules if rule.value["play"] != "none")
    return replace(plan, announce=True, told=told, rules=rules)
