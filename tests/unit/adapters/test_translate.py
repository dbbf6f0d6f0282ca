"""ARI's events, as Asterisk 22 sends them, in the core's words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pbx.adapters.asterisk.switch import AriSwitch
from pbx.adapters.asterisk.translate import Created, NewChannel, translate
from pbx.core.causes import Cause
from pbx.core.commands import (
    Answer,
    Command,
    DialOut,
    Explanation,
    HangUp,
    JoinBridge,
    OpenBridge,
    Play,
    RecordMessage,
    RingPhone,
)
from pbx.core.events import (
    CommandFailed,
    DigitPressed,
    Event,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRinging,
    MessageRecorded,
    PlaybackDone,
    TransferAsked,
)
from pbx.core.ids import BridgeId, CallId, LegId, PlaybackId

CALL = CallId("c_01HZ0000000000000000000001")
LEG = LegId(f"leg_{CALL[2:]}_2")
OURS, THEIRS = LegId(f"leg_{CALL[2:]}_1"), "1732444800.17"


def channel(name: str, state: str = "Up", number: str = "+12065550150") -> dict[str, Any]:
    return {
        "id": name,
        "name": "PJSIP/tr_a-00000001",
        "state": state,
        "protocol_id": "a1b2@127.0.0.1",
        "caller": {"name": "Ann", "number": number},
        "connected": {"name": "", "number": ""},
        "dialplan": {"context": "from-trunk", "exten": "+14155550101", "priority": 3, "app_name": "Stasis"},
        "creationtime": "2026-11-24T11:00:00.000+0000",
        "language": "en",
    }


def read(kind: str, *, dialled: bool = False, **fields: Any) -> object:
    def leg_of(name: str) -> LegId | None:
        return LegId(name) if name.startswith("leg_") else {THEIRS: OURS}.get(name)

    event = {"type": kind, "timestamp": "2026-11-24T11:00:00.1+0000", "application": "switchhook", **fields}
    return translate(event, leg_of, {LEG} if dialled else set())


@pytest.mark.covers("I1")
def test_a_channel_from_a_trunk_or_a_phone_is_new() -> None:
    args = ["inbound", "tr_a", "+14155550101", "+12065550150"]
    new = read("StasisStart", args=args, channel=channel(THEIRS, "Ring"))
    assert new == NewChannel("inbound", THEIRS, "tr_a", "+14155550101", "+12065550150", "Ann")
    out = read("StasisStart", args=["outbound", "d7kq2m9xw4", "911"], channel=channel(THEIRS, "Ring", "d7"))
    assert out == NewChannel("outbound", THEIRS, "d7kq2m9xw4", "911", "d7", "Ann")
    assert isinstance(read("StasisStart", args=["inbound"], channel=channel(THEIRS)), NewChannel)


def test_legs_of_ours_answer_by_entering_or_are_created() -> None:
    assert read("StasisStart", args=["leg", LEG], channel=channel(LEG)) == (CALL, LegAnswered(LEG))
    assert read("StasisStart", args=["dial", LEG], channel=channel(LEG, "Down")) == Created(LEG)
    assert read("StasisStart", args=[], channel=channel("x")) is None
    assert read("ChannelStateChange", channel=channel(LEG, "Ringing")) == (CALL, LegRinging(LEG))
    assert read("ChannelStateChange", channel=channel(LEG)) is None, "an originated leg answers by StasisStart"
    assert read("ChannelStateChange", dialled=True, channel=channel(LEG)) == (CALL, LegAnswered(LEG))


@pytest.mark.parametrize(("status", "rings"), [("RINGING", True), ("PROGRESS", True), ("ANSWER", False), ("", False)])
def test_progress_counts_as_ringing(status: str, rings: bool) -> None:
    found = read("Dial", dialstatus=status, peer=channel(LEG), dialstring="x", forward="")
    assert found == ((CALL, LegRinging(LEG)) if rings else None)


@pytest.mark.parametrize(
    ("fields", "ended"),
    [
        ({"cause": 17, "cause_txt": "User busy", "tech_cause": 486}, LegEnded(LEG, 17, 486)),
        ({"cause": 19, "tech_cause": 480}, LegEnded(LEG, 19, 480)),
        ({"cause": 0}, LegEnded(LEG, 16, None)),
        ({"cause": 127, "tech_cause": 0}, LegEnded(LEG, 127, None)),
        ({"cause": 127, "tech_cause": "odd"}, LegEnded(LEG, 127, None)),
    ],
)
def test_a_destroyed_channel_tells_why(fields: dict[str, Any], ended: LegEnded) -> None:
    assert read("ChannelDestroyed", channel=channel(LEG), **fields) == (CALL, ended)


@pytest.mark.covers("I8")
def test_a_caller_who_cancels_is_seen_at_stasis_end_and_legs_of_ours_at_their_destruction() -> None:
    assert read("StasisEnd", channel=channel(THEIRS)) == (CALL, LegEnded(OURS, 16, None))
    assert read("StasisEnd", channel=channel(LEG)) is None
    assert read("StasisEnd", channel=channel("unknown")) is None


def test_keys_hold_prompts_and_messages() -> None:
    assert read("ChannelDtmfReceived", digit="#", duration_ms=90, channel=channel(LEG)) == (
        CALL,
        DigitPressed(LEG, "#"),
    )
    assert read("ChannelHold", channel=channel(LEG)) == (CALL, LegHeld(LEG, True))
    assert read("ChannelUnhold", channel=channel(LEG)) == (CALL, LegHeld(LEG, False))
    playback = PlaybackId(f"pb_{CALL[2:]}_1")
    assert read("PlaybackFinished", playback={"id": playback, "state": "done"}) == (CALL, PlaybackDone(playback))
    name = f"vm_{CALL[2:]}"
    recording = {"name": name, "format": "wav", "state": "done", "duration": 7}
    assert read("RecordingFinished", recording=recording) == (CALL, MessageRecorded(name, timedelta(seconds=7)))
    failed = {"name": name, "state": "failed", "cause": "no space"}
    assert read("RecordingFailed", recording=failed) == (CALL, MessageRecorded(name, timedelta(0)))


@pytest.mark.parametrize("kind", ["", "PeerStatusChange", "BridgeCreated", "ChannelTalkingStarted"])
def test_what_no_call_needs_is_passed_over(kind: str) -> None:
    assert read(kind, channel=channel(LEG)) is None


# -- the other way: commands, and what comes of those that fail -------------------------------------------------------


class HandAri:
    """Takes requests down and answers each with the status that a test sets for its last word."""

    connected = True

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[dict[str, Any]] = []
        self.status: dict[str, int] = {}

    def flush(self) -> None: ...

    def send(
        self, method: str, uri: str, query: Any = None, body: Any = None, on_answer: Any = None, *, quiet: bool = False
    ) -> None:
        self.requests.append((method, uri, dict(query or {})))
        self.bodies.append(body or {})
        if on_answer is not None:
            word = next((word for word in self.status if word in f"{method} {uri}"), "")
            status = self.status.get(word, 201)
            if not quiet or status >= 300:
                on_answer(status, {"message": "as set"})


class Prompts:
    def uri(self, name: str, language: str) -> str:
        return f"sound:{language}/{name}"


@pytest.fixture
def told() -> list[tuple[CallId, Event]]:
    return []


@pytest.fixture
def ari() -> HandAri:
    return HandAri()


@pytest.fixture
def switch(ari: HandAri, told: list[tuple[CallId, Event]]) -> AriSwitch:
    switch = AriSwitch(None, Prompts(), lambda call, event: told.append((call, event)))  # type: ignore[arg-type]
    switch.ari = ari  # type: ignore[assignment]
    switch.adopt(CALL, OURS, THEIRS)
    return switch


DIAL = DialOut(LEG, "PJSIP/+1@tr_a", "+14155550101", timedelta(seconds=95), BridgeId("br_x"), OURS)


@pytest.mark.parametrize(
    ("failing", "command", "event"),
    [
        ("POST channels/leg", RingPhone(LEG, "PJSIP/d1", "+1", "", timedelta(1)), CommandFailed("originate", LEG, "")),
        ("create", DIAL, CommandFailed("create", LEG, "")),
        ("addChannel", JoinBridge(BridgeId("br_x"), (OURS, LEG)), CommandFailed("join", LEG, "")),
        ("play", Play(PlaybackId("pb_1"), OURS, ("beep",), "en"), PlaybackDone(PlaybackId("pb_1"))),
        ("record", RecordMessage("vm_1", OURS, timedelta(minutes=2)), MessageRecorded("vm_1", timedelta(0))),
    ],
)
def test_a_refused_command_comes_back_to_its_call(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]], failing: str, command: Command, event: Event
) -> None:
    ari.status[failing] = 500
    switch.carry_out(CALL, command)
    [(call, came)] = told
    assert call == CALL and type(came) is type(event)
    assert getattr(came, "leg", None) == getattr(event, "leg", None)


def test_a_created_leg_is_joined_and_dialled_once_it_is_there(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]]
) -> None:
    switch.carry_out(CALL, DIAL)
    assert [uri for _, uri, _ in ari.requests] == ["channels/create"]
    ari.status["/dial"] = 404
    switch.created(LEG)
    joining = {"channel": LEG, "inhibitConnectedLineUpdates": "true"}
    assert ari.requests[1][1:] == ("bridges/br_x/addChannel", joining)
    assert ari.requests[2][1] == f"channels/{LEG}/dial"
    assert told == [(CALL, CommandFailed("dial", LEG, "404 as set"))]


@pytest.mark.covers("V6")
def test_the_far_end_is_shown_the_users_number_and_no_bridge_hands_on_another(switch: AriSwitch, ari: HandAri) -> None:
    switch.carry_out(CALL, DIAL)
    assert ari.bodies[-1]["variables"]["CONNECTEDLINE(num,i)"] == "+14155550101"
    switch.created(LEG)
    switch.carry_out(CALL, JoinBridge(BridgeId("br_x"), (OURS, LEG)))
    joins = [query for _, uri, query in ari.requests if uri.endswith("addChannel")]
    assert [join["inhibitConnectedLineUpdates"] for join in joins] == ["true", "true"]


def test_a_leg_that_is_being_made_is_not_made_twice(switch: AriSwitch, ari: HandAri) -> None:
    switch.prepare(CALL, DIAL)
    switch.carry_out(CALL, DIAL)
    assert [uri for _, uri, _ in ari.requests] == ["channels/create"]
    switch.prepare(CALL, replace(DIAL, bridge=None))
    assert len(ari.requests) == 1, "one that rings as soon as it is made waits for its turn"


def test_a_leg_is_made_over_the_connection_that_keeps_no_order(switch: AriSwitch, ari: HandAri) -> None:
    aside = HandAri()
    switch.aside = aside  # type: ignore[assignment]
    switch.carry_out(CALL, DIAL)
    switch.carry_out(CALL, OpenBridge(BridgeId("br_x")))
    assert [uri for _, uri, _ in aside.requests] == ["channels/create"]
    assert [uri for _, uri, _ in ari.requests] == ["bridges/br_x"]


@pytest.mark.covers("P2")
@pytest.mark.parametrize(("kind", "context"), [("inbound", "from-trunk"), ("outbound", "from-endpoint")])
def test_a_channel_that_we_cannot_take_goes_on_in_the_dialplan(
    switch: AriSwitch, ari: HandAri, kind: str, context: str
) -> None:
    switch.give_back(NewChannel(kind, THEIRS, "tr_a", "+14155550101", "+12065550150", ""))
    assert ari.requests == [("POST", f"channels/{THEIRS}/continue", {"priority": "5"})]
    plan = (Path(__file__).parents[3] / "dialplans" / f"{context}.conf").read_text()
    steps = [row for row in plan.splitlines() if row.startswith(("exten", " same"))]
    assert "(away)" in steps[4] and f"[{context}-away]\nexten => s,1," in plan


def test_a_leg_is_asked_to_join_and_dial_by_itself(switch: AriSwitch, ari: HandAri) -> None:
    switch.carry_out(CALL, DIAL)
    assert ari.bodies[-1]["dial"] == {"bridge": "br_x", "timeout": 95}


def test_a_leg_that_is_being_made_is_hung_up_in_the_order_of_its_making(switch: AriSwitch, ari: HandAri) -> None:
    aside = HandAri()
    switch.aside = aside  # type: ignore[assignment]
    switch.carry_out(CALL, DIAL)
    switch.carry_out(CALL, HangUp(LEG, Cause.NORMAL))
    assert [method for method, _, _ in aside.requests] == ["POST", "DELETE"] and not ari.requests


def test_a_leg_that_rings_is_hung_up_in_the_order_of_all_else(switch: AriSwitch, ari: HandAri) -> None:
    aside = HandAri()
    switch.aside = aside  # type: ignore[assignment]
    switch.carry_out(CALL, DIAL)
    switch.progressed(LegRinging(LEG))
    switch.carry_out(CALL, HangUp(LEG, Cause.NORMAL))
    assert [uri for _, uri, _ in ari.requests] == [f"channels/{LEG}"]


def test_a_link_that_is_lost_later_ends_no_leg_that_was_heard_of(
    switch: AriSwitch, told: list[tuple[CallId, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked quietly, so who asked hears only then that nobody knows."""
    aside, answers = HandAri(), list[Any]()
    monkeypatch.setattr(aside, "send", lambda *asked, quiet: answers.append(asked[-1]))
    switch.aside = aside  # type: ignore[assignment]
    switch.carry_out(CALL, DIAL)
    switch.progressed(LegRinging(LEG))
    answers[0](0, {"message": "The link to Asterisk was lost."})
    assert told == []


def test_a_leg_that_an_earlier_engine_has_dialled_is_well(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]]
) -> None:
    ari.status = {"create": 409, "/dial": 409}
    switch.carry_out(CALL, DIAL)
    assert told == [] and ari.requests[-1][1] == f"channels/{LEG}/dial"


def test_a_leg_that_was_hung_up_before_it_was_there_is_not_dialled(switch: AriSwitch, ari: HandAri) -> None:
    switch.carry_out(CALL, DIAL)
    switch.carry_out(CALL, HangUp(LEG, 16))  # type: ignore[arg-type]
    ari.status["DELETE"] = 404
    switch.created(LEG)
    assert [method for method, _, _ in ari.requests] == ["POST", "DELETE", "DELETE"], "it came after all"


def test_a_leg_that_is_gone_already_has_ended(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]]
) -> None:
    ari.status["DELETE"] = 404
    switch.carry_out(CALL, HangUp(LEG, 16))  # type: ignore[arg-type]
    assert told == [(CALL, LegEnded(LEG, 16))]


def test_whose_end_was_asked_for_is_looked_after_until_it_is_known_to_be_gone(switch: AriSwitch, ari: HandAri) -> None:
    leaving: set[str] = set()
    switch.on_leaving, switch.on_gone = leaving.add, leaving.discard
    switch.carry_out(CALL, HangUp(OURS, Cause.NORMAL))
    assert leaving == {THEIRS}
    ari.status["DELETE"] = 404
    switch.carry_out(CALL, HangUp(OURS, Cause.NORMAL))
    assert not leaving


def test_who_is_found_gone_when_asked_once_more_to_end_has_ended(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]]
) -> None:
    gone: list[str] = []
    switch.on_gone = gone.append
    switch.end_again(THEIRS)
    assert ari.requests[-1][:2] == ("DELETE", f"channels/{THEIRS}") and not told and not gone
    ari.status["DELETE"] = 404
    switch.end_again(THEIRS)
    switch.end_again("1795692257.793")
    assert told == [(CALL, LegEnded(OURS, 16))] and gone == [THEIRS, "1795692257.793"]


def test_a_lost_link_does_not_part_those_who_may_hear_each_other(
    switch: AriSwitch, ari: HandAri, told: list[tuple[CallId, Event]]
) -> None:
    ari.status["addChannel"] = 0
    switch.carry_out(CALL, JoinBridge(BridgeId("br_x"), (OURS, LEG)))
    assert told == []


@pytest.mark.covers("P5")
def test_why_a_call_is_refused_is_said_before_the_hang_up_and_only_then(switch: AriSwitch, ari: HandAri) -> None:
    words = Explanation("The system is at its limit.", timedelta(seconds=5))
    switch.carry_out(CALL, HangUp(OURS, Cause.CONGESTION, 503, words))
    switch.carry_out(CALL, HangUp(OURS, Cause.REJECTED, 403, Explanation("Not allowed.")))
    said = [(method, query.get("value")) for method, _, query in ari.requests]
    assert said == [
        ("POST", "5|The system is at its limit."),
        ("DELETE", None),
        ("POST", "|Not allowed."),
        ("DELETE", None),
    ]
    assert {path for _, path, _ in ari.requests} == {f"channels/{THEIRS}/variable", f"channels/{THEIRS}"}
    switch.carry_out(CALL, HangUp(OURS, Cause.BUSY))
    assert len(ari.requests) == 5, "nothing more is sent for any other call"


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("sent", ['"x" <sip:evil>', "1&Local/2", "１２３", "a\r\nX: y", "+1206%40x", "あ"])
def test_a_callers_number_carries_nothing_but_a_number(switch: AriSwitch, ari: HandAri, sent: str) -> None:
    switch.carry_out(CALL, RingPhone(LEG, "PJSIP/d1", sent, "", timedelta(seconds=30)))
    caller_id = ari.requests[0][2]["callerId"]
    assert caller_id.isascii() and not set(caller_id[1:-1]) & set('<>"@&/%: \r\n')


def test_nothing_of_a_forgotten_call_is_kept(switch: AriSwitch, ari: HandAri) -> None:
    switch.carry_out(CALL, DIAL)
    switch.carry_out(CALL, Answer(OURS))
    assert ari.requests[-1][1] == f"channels/{THEIRS}/answer"
    switch.forget(CALL)
    assert switch.leg_of(THEIRS) is None and switch.dialled == set()
    switch.created(LEG)
    assert [method for method, _, _ in ari.requests[2:]] == ["DELETE"], "nobody wants it any more"


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"destination": "102"}, "102"),
        ({"destination": "102&Local/600"}, ""),
        ({"destination": "102", "protocol_id": "a9e85f40"}, ""),  # Replaces names a call that is over
    ],
)
def test_a_transfer_is_to_a_number_that_is_one_and_to_no_call_that_is_not_there(
    wanted: dict[str, str], number: str
) -> None:
    asked = {"refer_to": {"requested_destination": wanted}, "referred_by": {"source_channel": channel(LEG)}}
    assert read("ChannelTransfer", **asked) == (CALL, TransferAsked(LEG, number))


async def test_what_is_to_be_played_later_is_played_then(switch: AriSwitch, ari: HandAri) -> None:
    switch.carry_out(CALL, Play(PlaybackId("pb_1"), OURS, ("keys-done",), "en", timedelta(milliseconds=20)))
    assert ari.requests == []
    await asyncio.sleep(0.05)
    assert [uri for _, uri, _ in ari.requests] == [f"channels/{THEIRS}/play/pb_1"]
