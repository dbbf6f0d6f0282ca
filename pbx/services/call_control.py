"""What people may ask of calls: one set of rules for API, console and command line."""

from __future__ import annotations

from collections.abc import Callable

from crm.directory import Directory
from crm.errors import Refused, conflict, not_found
from crm.records import User
from pbx.core.call import Call, State
from pbx.core.events import (
    AnswerAsked,
    Ask,
    Asked,
    Asking,
    DialRequested,
    DigitsAsked,
    Direction,
    DropAsked,
    GuestKind,
    InviteAsked,
    NotNow,
    PartyAsk,
    PartyAsked,
    Phone,
)
from pbx.core.gate import SENTENCES, Reason
from pbx.core.ids import CallId, LegId
from pbx.services import numbers
from pbx.services.guests import Guests
from pbx.services.persons import Persons
from pbx.services.ports import Presence
from pbx.services.runtime import Calls, UnknownCall

LONGEST_NOTE = 20_000
DRAINING = "This engine takes no new calls before its restart. Try again in a minute, or dial on a desk phone."
_STATUS = {
    Reason.INVALID_NUMBER: 422,
    Reason.NO_TRUNK: 503,
    Reason.OVERLOADED: 503,
    Reason.USER_BUSY_LIMIT: 429,
    Reason.ORG_BUSY_LIMIT: 429,
}


class CallControl:
    """Every method answers at once, or raises Refused with a sentence that says what to do."""

    def __init__(
        self,
        calls: Calls,
        directory: Callable[[], Directory],
        persons: Persons,
        guests: Guests,
        presence: Presence,
        mint: Callable[[], CallId],
        ready: Callable[[], bool],
        last_used: Callable[[str], int],
        overloaded: Callable[[], bool],
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        """``last_used`` tells when somebody talked over a device the last time, 0 for never."""
        self._calls = calls
        self._directory = directory
        self._persons = persons
        self._guests = guests
        self._presence = presence
        self._mint = mint
        self._ready = ready
        self._last_used = last_used
        self._overloaded = overloaded
        self._draining = draining

    def dial(
        self,
        user_id: str,
        to: str,
        *,
        via: str | None = None,
        device_id: str | None = None,
        by: str,
        call_id: str = "",
        listed: bool = False,
        home: str = "",
    ) -> CallId:
        """Ring the user first, on a registered phone or at the forwarding number, then the customer.

        Without ``via`` a registered phone is used, else the forwarding number. The gate speaks before anything
        rings; what it refuses stands in the log all the same. A colleague is rung inside, as when a phone dials.
        ``listed`` calls come from a call list, ``home`` is where the called person lives (JP, US-FL): see
        :mod:`pbx.services.legal_hours`.
        """
        directory = self._directory()
        user = directory.users.get(user_id)
        if user is None:
            raise not_found("user", user_id)
        if not self._ready():
            raise Refused("asterisk_away", "The telephone system is starting. Try again in a few seconds.", status=503)
        destination = numbers.read(to, user.country, directory.settings)
        if self._draining() and not destination.emergency:
            raise Refused("draining", DRAINING, status=503)
        phone = self._phone(user, via, device_id)
        person = self._persons.of(user, Direction.OUTBOUND, destination.e164)
        colleague = numbers.colleague(destination, directory, user)
        event = DialRequested(
            person,
            destination.e164,
            phone,
            to[:64],
            by,
            colleague=colleague.id if colleague else "",
            overloaded=self._overloaded(),
            listed=listed,
            home=home,
        )
        call = self._calls.begin(CallId(call_id) if call_id else self._mint(), event)
        if call.state is State.ENDED and call.refusal is not None:
            raise Refused(call.refusal.value, call.refused_because, "to", _STATUS.get(call.refusal, 403))
        return call.id

    def _phone(self, user: User, via: str | None, device_id: str | None) -> Phone | None:
        """The phone to ring; None stands for the forwarding number."""
        if via not in (None, "device", "forwarding"):
            raise Refused("invalid", "“via” is either “device” or “forwarding”.", "via")
        phones = self._phones(user, device_id)
        if via != "forwarding" and phones:
            return phones[0]
        if via == "device" or device_id:
            raise conflict(
                "no_phone_registered",
                "None of your phones is registered now. Switch one on, or call through your forwarding number.",
                "via",
            )
        if not user.forwarding_number:
            raise conflict(
                "no_phone",
                "There is no phone to ring first. Register a phone, or set a forwarding number.",
                "via",
            )
        return None

    def _phones(self, user: User, device_id: str | None) -> tuple[Phone, ...]:
        devices = [device.id for device in self._directory().devices_of(user.id) if device.enabled]
        if device_id is not None:
            if device_id not in devices:
                raise not_found("phone", device_id)
            devices = [device_id]
        return self._presence.phones(devices)

    # -- a call that stands or rings ----------------------------------------------------------------

    def ask(self, call_id: str, ask: Ask, by: str, *, admin: bool = False) -> Call:
        return self._asked(call_id, Asked(ask, by, admin))

    def ask_party(self, call_id: str, ask: PartyAsk, leg: str, by: str, *, admin: bool = False) -> Call:
        """Hold, take back or drop one party of the conversation (C6, C7)."""
        return self._asked(call_id, PartyAsked(ask, LegId(leg), by, admin))

    def invite(
        self,
        call_id: str,
        by: str,
        *,
        user: str | None = None,
        group: str | None = None,
        number: str | None = None,
        admin: bool = False,
    ) -> Call:
        """Ring a guest for a call that stands (C1 to C5). An outside number goes through the gate, in the host's
        name."""
        call = self._calls.get(call_id)
        if call is None:
            raise not_found("call that is up", call_id)
        inviter = self._directory().users.get(by)
        if inviter is None:
            raise not_found("user", by)
        guest = self._guests.named(inviter, user=user, group=group, number=number)
        self._asked(call_id, InviteAsked(guest, by, admin, self._guests.unattended))
        if guest.kind is GuestKind.NUMBER and call.invite is None:
            reason = call.refusal or Reason.NO_TRUNK
            raise Refused(reason.value, SENTENCES[reason], "number", _STATUS.get(reason, 403))
        return call

    def answer(self, call_id: str, device_id: str | None, by: str) -> Call:
        """Take an incoming call that rings, on one of the called user's own phones: the one that is named, else the
        only one, else the one that the user talked over last, else the one that was set up first."""
        call = self._calls.get(call_id)
        if call is None:
            raise not_found("call that is up", call_id)
        if call.state is not State.RINGING or call.person is None:
            raise conflict("not_ringing", "This call does not ring on your phones now, so it cannot be answered.")
        user = self._directory().users.get(call.person.user_id)
        phones = self._phones(user, device_id) if user else ()
        if not phones:
            raise conflict(
                "no_phone_registered",
                "This phone is not registered now. Switch it on, or answer on another one of yours."
                if device_id
                else "None of your phones is registered now. Switch one on, or forward the call.",
                "device_id" if device_id else None,
            )
        return self._asked(call_id, AnswerAsked(self._to_answer_on(phones), by))

    def _to_answer_on(self, phones: tuple[Phone, ...]) -> Phone:
        """Of the bindings of one device the newest: an older one may be of a phone that has started again since."""
        devices = self._directory().devices
        known = sorted(
            dict.fromkeys(phone.device_id for phone in phones), key=lambda device: devices[device].created_us
        )
        chosen = max(sorted(known, key=lambda device: devices[device].created_us), key=self._last_used)
        return [phone for phone in phones if phone.device_id == chosen][-1]

    def drop(self, call_id: str, drop_id: str, sound: str, by: str) -> Call:
        """Leave a message in the mailbox that has answered; who asks is out of the call at once."""
        return self._asked(call_id, DropAsked(drop_id, sound, by))

    def send_digits(self, call_id: str, digits: str, by: str, *, admin: bool = False) -> Call:
        return self._asked(call_id, DigitsAsked(digits, by, admin))

    def _asked(self, call_id: str, event: Asking) -> Call:
        try:
            return self._calls.ask(call_id, event)
        except UnknownCall as error:
            raise not_found("call that is up", call_id) from error
        except NotNow as answer:
            if answer.code == "invalid_digits":
                raise Refused(answer.code, answer.sentence, "digits") from answer
            if answer.code == "host_only":
                raise Refused(answer.code, answer.sentence, status=403) from answer
            raise conflict(answer.code, answer.sentence) from answer

    # -- what is written about a call, during it or after -------------------------------------------

    def note(self, call_id: str, text: str, by: str, *, after: int | None = None) -> None:
        """Save the call's notes as they are typed (V11). ``after``: see :meth:`Calls.annotate`."""
        if len(text) > LONGEST_NOTE:
            raise Refused("too_long", f"Notes hold {LONGEST_NOTE} characters at most.", "notes")
        self._annotate(call_id, "note.saved", {"text": text, "by": by}, after)

    def link(self, call_id: str, record_type: str, record_id: str, by: str, *, after: int | None = None) -> None:
        """Attach the call to a lead, contact or deal."""
        self._annotate(call_id, "call.linked", {"record_type": record_type, "record_id": record_id, "by": by}, after)

    def recording_erased(self, call_id: str, recording: str, by: str, *, after: int | None = None) -> None:
        """Of a call that is over: its sound is gone already."""
        self._annotate(call_id, "recording.erased", {"recording": recording, "by": by}, after)

    def _annotate(self, call_id: str, kind: str, data: dict[str, object], after: int | None) -> None:
        try:
            self._calls.annotate(CallId(call_id), kind, data, after=after)
        except UnknownCall as error:
            raise not_found("call", call_id) from error
