"""One call of a test phone: its dialog (RFC 3261, section 12), its media and the moments of all that happened."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tests.support.listening import Listening
from tests.support.rtp import Digit, RtpStream
from tests.support.sip_dialog import CallState, Dialog, Moments, Offer
from tests.support.sip_message import MAGIC, Address, SipMessage, parameter, token, uri_user
from tests.support.sip_sdp import MIRRORED, Sdp, build_sdp
from tests.support.srtp import SUITE, SrtpStream, crypto_line, key_of, new_key
from tests.support.tones import describe
from tests.support.waiting import Deadline, Missed, T

if TYPE_CHECKING:
    from tests.support.sip_phone import SipPhone

__all__ = ["SDP_TYPE", "Call", "CallState", "Dialog"]
SDP_TYPE = ("Content-Type", "application/sdp")


class Call(Listening):
    """A call in either direction. Nothing here waits without a deadline."""

    def __init__(self, phone: SipPhone, invite: SipMessage, dialog: Dialog, outgoing: bool, rtp: RtpStream) -> None:
        self.phone, self.invite, self.dialog, self.outgoing, self.rtp = phone, invite, dialog, outgoing, rtp
        self.ear, self.signal = rtp.ear, phone.signal
        self.state = CallState.CALLING if outgoing else CallState.RINGING
        self.at = Moments(invited=time.monotonic())
        self.ended_by_us = False
        self.final_status: int | None = None
        self.final_reason = ""
        self.ending: SipMessage | None = None
        self.answer_message: SipMessage | None = None
        self.provisional: list[SipMessage] = []
        self.offers: list[Offer] = []
        self.notifies: list[SipMessage] = []
        self.requests: list[SipMessage] = []
        self.direction = "sendrecv"
        self.sdp_version = 1
        self.acknowledged = False
        self.session_expires: str | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.srtp_key = new_key() if phone.srtp else None
        self._peer_key: bytes | None = None

    # What the call says of itself

    @property
    def called_number(self) -> str:
        """The user part of the request URI."""
        return uri_user(self.invite.uri)

    @property
    def caller(self) -> Address:
        """From of the INVITE: `.user` is the number, `.name` what a display shows."""
        return Address.parse(self.invite.header("From") or "")

    @property
    def caller_number(self) -> str:
        return self.caller.user

    @property
    def asserted_number(self) -> str | None:
        """The number in P-Asserted-Identity, which a carrier believes."""
        value = self.invite.header("P-Asserted-Identity")
        return None if value is None else Address.parse(value).user

    def header(self, name: str) -> str | None:
        """A header of the INVITE: Alert-Info, Call-Info, Diversion, Privacy ..."""
        return self.invite.header(name)

    @property
    def reason_header(self) -> str | None:
        """Reason of whatever ended the call: the refusal, CANCEL or BYE (RFC 3326)."""
        return None if self.ending is None else ("; ".join(self.ending.all("Reason")) or None)

    @property
    def cause(self) -> int | None:
        """The Q.850 cause in the Reason header, if there is one."""
        match = re.search(r"Q\.850\s*;\s*cause\s*=\s*(\d+)", self.reason_header or "", re.IGNORECASE)
        return int(match[1]) if match else None

    @property
    def held_by_peer(self) -> bool:
        return bool(self.offers) and self.offers[-1].direction in ("sendonly", "inactive")

    @property
    def digits(self) -> str:
        """All digits received so far."""
        return "".join(digit.digit for digit in self.digits_heard)

    @property
    def digits_heard(self) -> list[Digit]:
        return self.ear.digits

    # Waiting

    async def until_ringing(self, within: float = 3) -> float:
        """The caller has a 180; its moment."""
        return await self._until(lambda: self.at.ringing, within, "180 Ringing")

    async def until_early_media(self, within: float = 3) -> float:
        return await self._until(lambda: self.at.early_media, within, "183 with a session description")

    async def until_answered(self, within: float = 5) -> float:
        """The call stands; its moment. Raises at once where it was refused instead."""
        await self._until(lambda: self.at.answered or self.state is CallState.ENDED, within, "an answer")
        if self.at.answered is None:
            raise self._missed(f"an answer (it ended with {self.final_status} {self.final_reason})")
        return self.at.answered

    async def until_ended(self, within: float = 5) -> float:
        """The call is over, by whomever; its moment."""
        return await self._until(lambda: self.at.ended, within, "the end of the call")

    async def until_held(self, within: float = 3) -> None:
        await self._until(lambda: self.held_by_peer, within, "a re-INVITE that holds")

    async def until_digits(self, digits: str, within: float = 5) -> None:
        await self._until(lambda: self.digits == digits, within, f"the digits {digits} (got {self.digits!r})")

    async def _until(self, condition: Callable[[], T | None], within: float, what: str) -> T:
        value = await self.signal.until(condition, within, lambda: str(self._missed(f"{what}, {within:g} s")))
        assert value is not None
        return value

    def _missed(self, what: str) -> Missed:
        ear = describe(self.heard(last=2))
        return Missed(
            f"{self.phone.user} ({'out' if self.outgoing else 'in'}, {self.state.value}) waited for {what}.\n"
            f"In the ear, last 2 s: {ear}\n{self.phone.trace.text()}"
        )

    # The voice

    def say(self, tone: float | None) -> None:
        """Change this call's voice to another tone, or to silence (None)."""
        self.rtp.say(tone)

    async def press(self, digits: str, how: str = "rfc4733") -> None:
        """Press digits: `rfc4733`, `info` (application/dtmf-relay) or `inband`. Returns when they are sent."""
        if how == "info":
            for digit in digits:
                body = f"Signal={digit}\r\nDuration=160\r\n".encode()
                await self.request("INFO", [("Content-Type", "application/dtmf-relay")], body)
            return
        if how == "rfc4733" and self.rtp.dtmf_payload is None:
            raise Missed("The other side did not offer telephone-event, so no RFC 4733 digit can be sent.")
        (self.rtp.press if how == "rfc4733" else self.rtp.press_inband)(digits)
        await self.signal.until(
            lambda: self.rtp.quiet, 1 + 0.3 * len(digits), lambda: "The digits were not sent: no media.", 0.02
        )

    # Incoming: what the person does

    def trying(self) -> None:
        """Send 100."""
        self._provisional(100)

    def ring(self) -> None:
        """Send 180."""
        self._provisional(180)

    def send_early_media(self) -> None:
        """Send 183 with SDP and start to talk."""
        self.at.early_media, self.rtp.sending = time.monotonic(), True
        self._provisional(183, self._answer_sdp())

    async def answer(self, within: float = 3) -> None:
        """Send 200 and wait for its ACK. Raises Missed where the caller gave up or no ACK comes."""
        if self.state is not CallState.RINGING:
            raise self._missed("its own answer, but the call no longer rings")
        self.at.answered, self.state, self.rtp.sending = time.monotonic(), CallState.ANSWERED, True
        headers = [*self.phone.contact_headers(), *self._timer_headers(self.invite), SDP_TYPE]
        body = self._answer_sdp() if self.invite.body else self.own_sdp()
        self.phone.respond(self.invite, 200, self.dialog, headers, body)
        await self._until_acknowledged(self.invite, within)

    def reject(
        self, status: int = 486, reason: str | None = None, headers: list[tuple[str, str]] | None = None
    ) -> None:
        """Refuse with any final status."""
        self.final_status, self.final_reason = status, reason or ""
        self.phone.respond(self.invite, status, self.dialog, headers or [], reason=reason)
        self.finish(by_us=True)

    # Both: what the person does

    async def hang_up(self, within: float = 3, headers: list[tuple[str, str]] | None = None) -> None:
        """CANCEL, refuse or BYE, whichever the state asks for; no harm where the call is over."""
        if self.state is CallState.ENDED:
            return
        if self.state is CallState.ANSWERED:
            self.finish(by_us=True)
            await self.request("BYE", headers or [], within=within)
        elif self.outgoing:
            await self.cancel(within)
        else:
            self.reject(486)

    async def cancel(self, within: float = 3, headers: list[tuple[str, str]] | None = None) -> None:
        """CANCEL an unanswered call and wait for the INVITE's final answer (RFC 3261, 9.1)."""
        await self._until(lambda: self.provisional or self.at.ended, within, "any answer, to be able to CANCEL")
        self.ended_by_us = True
        await self.phone.send_cancel(self, headers or [], within)
        await self._until(lambda: self.at.ended, within, "the INVITE's final answer after CANCEL")

    async def hold(self, direction: str = "sendonly", within: float = 3) -> None:
        """Re-INVITE with `sendonly` or `inactive`; the own voice stops."""
        self.rtp.sending = False
        await self._renegotiate(direction, within)

    async def resume(self, restart_rtp: bool = True, within: float = 3) -> None:
        """Take the call back. As most phones do, the RTP stream starts anew with other random numbers."""
        await self._renegotiate("sendrecv", within)
        if restart_rtp:
            self.rtp.restart()
        self.rtp.sending = True

    async def transfer(self, to: str, within: float = 3) -> SipMessage:
        """Send REFER (RFC 3515) to a number or URI; the answer to it. Progress arrives in `notifies`."""
        target = to if to.startswith(("sip:", "<")) else f"sip:{to}@{self.phone.domain}"
        target = target if target.startswith("<") else f"<{target}>"
        headers = [("Refer-To", target), ("Referred-By", f"<sip:{self.phone.user}@{self.phone.domain}>")]
        return await self.request("REFER", [*headers, *self.phone.contact_headers()], within=within)

    async def request(
        self, method: str, headers: list[tuple[str, str]] | None = None, body: bytes = b"", within: float = 3
    ) -> SipMessage:
        """Send any request inside the dialog; its final answer, whatever that is."""
        return await self.phone.transact(self._dialog_request(method, headers or [], body), within, self.dialog.peer)

    # Dialog

    def received_answer(self, response: SipMessage) -> None:
        """A response to our INVITE: remember it, and take its session description."""
        now = time.monotonic()
        if response.status == 100:
            self.at.trying = self.at.trying or now
        if response.status == 180:
            self.at.ringing = self.at.ringing or now
            self.state = CallState.RINGING if self.state is CallState.CALLING else self.state
        if response.status < 200:
            self.provisional.append(response)
        if response.status in range(101, 300):
            self._learn_peer(response)
            if response.body and response.status < 200:
                self.at.early_media = self.at.early_media or now
            self.take_sdp(response)
        if response.status in range(200, 300):
            self._established(response, now)
        elif response.status >= 300:
            self.final_status, self.final_reason, self.ending = response.status, response.reason, response
            self.finish(by_us=self.ended_by_us)
        self.signal.fire()

    def _established(self, response: SipMessage, now: float) -> None:
        self.at.answered, self.final_status, self.answer_message = now, response.status, response
        self.final_reason = response.reason
        crossed, self.state = self.state is CallState.ENDED or self.ended_by_us, CallState.ANSWERED
        expires = response.header("Session-Expires")
        if expires is not None and "uac" in (parameter(f";{expires}", "refresher") or "").lower():
            self.spawn(self._refresh(int(expires.split(";")[0]) / 2))
        if crossed:  # our CANCEL and their 200 met: the call must be ended by BYE
            self.spawn(self.hang_up())

    def received_request(self, request: SipMessage) -> None:
        """A request inside the dialog."""
        self.requests.append(request)
        handler = {
            "ACK": self._on_ack,
            "BYE": self._on_bye,
            "INVITE": self._on_reinvite,
            "UPDATE": self._on_reinvite,
            "INFO": self._on_info,
            "NOTIFY": self._on_notify,
            "REFER": self._on_refer,
        }.get(request.method, self._on_other)
        handler(request)
        self.signal.fire()

    def cancelled(self, cancel: SipMessage) -> None:
        """The caller gave up: 200 to the CANCEL, 487 to the INVITE."""
        self.phone.respond(cancel, 200, self.dialog)
        if self.state is CallState.RINGING:
            self.final_status, self.final_reason, self.ending = 487, "Request Terminated", cancel
            self.phone.respond(self.invite, 487, self.dialog)
            self.finish(by_us=False)

    def finish(self, by_us: bool) -> None:
        """The call is over: note the moment, close the media."""
        if self.state is not CallState.ENDED:
            self.state, self.at.ended, self.ended_by_us = CallState.ENDED, time.monotonic(), by_us
            self.rtp.close()
            for task in self.tasks:
                if task is not asyncio.current_task():
                    task.cancel()
        self.signal.fire()

    def take_sdp(self, message: SipMessage) -> None:
        """Send the voice where the other side's description says."""
        if not message.body or "sdp" not in (message.header("Content-Type") or ""):
            return
        sdp = Sdp.parse(message.body)
        codec = sdp.first_of(self.phone.codecs)
        self.offers.append(Offer(time.monotonic(), sdp.direction, sdp))
        if codec is None or not sdp.port:
            return
        self.ear.dtmf_payload = sdp.dtmf_payload
        if self.srtp_key is not None:
            self._take_key(sdp)
        self.rtp.talk_to(sdp.host, sdp.port, codec, sdp.dtmf_payload)

    def _take_key(self, sdp: Sdp) -> None:
        """Both directions' keys; an unchanged key keeps its counters (RFC 4568, 7.1.4)."""
        key = key_of(sdp.crypto or "")
        if key is None or self.srtp_key is None:
            raise self._missed(f"SRTP with {SUITE} (offered: {sdp.crypto})")
        self.rtp.seal = self.rtp.seal or SrtpStream(self.srtp_key)
        if key != self._peer_key:
            self._peer_key, self.rtp.unseal = key, SrtpStream(key)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.phone.failures.append(error)

    def ack(self, response: SipMessage) -> SipMessage:
        """ACK of a 2xx: a request of its own (RFC 3261, 13.2.2.4)."""
        self._learn_peer(response)
        request = self._dialog_request("ACK", [], b"")
        return request.with_header("CSeq", f"{response.cseq[0]} ACK")

    def _learn_peer(self, response: SipMessage) -> None:
        self.dialog.remote = response.header("To") or self.dialog.remote
        self.dialog.remote_tag = response.to_tag or self.dialog.remote_tag
        if contact := response.header("Contact"):
            self.dialog.target = Address.parse(contact).uri
        self.dialog.routes = response.all("Record-Route")[::-1] or self.dialog.routes

    def _dialog_request(self, method: str, headers: list[tuple[str, str]], body: bytes) -> SipMessage:
        dialog = self.dialog
        if method != "ACK":
            dialog.sequence += 1
        return SipMessage(
            f"{method} {dialog.target} SIP/2.0",
            [
                ("Via", self.phone.via(f"{MAGIC}{token()}")),
                ("Max-Forwards", "70"),
                *(("Route", route) for route in dialog.routes),
                ("From", dialog.local),
                ("To", dialog.remote),
                ("Call-ID", dialog.call_id),
                ("CSeq", f"{dialog.sequence} {method}"),
                *headers,
            ],
            body,
        )

    def _provisional(self, status: int, body: bytes = b"") -> None:
        if status == 180:
            self.at.ringing = self.at.ringing or time.monotonic()
        headers = [*self.phone.contact_headers(), *([SDP_TYPE] if body else [])]
        self.phone.respond(self.invite, status, self.dialog, headers, body)

    def own_sdp(self) -> bytes:
        host, port = self.rtp.local
        self.sdp_version += 1
        crypto = crypto_line(self.srtp_key) if self.srtp_key else None
        return build_sdp(host, port, self.phone.codecs, self.direction, self.sdp_version, crypto=crypto)

    def _answer_sdp(self) -> bytes:
        """The answer to the newest offer: its codec, its direction mirrored unless we hold ourselves."""
        offer = self.offers[-1].sdp
        codec = offer.first_of(self.phone.codecs)
        host, port = self.rtp.local
        self.sdp_version += 1
        mirrored = MIRRORED[offer.direction]
        direction = mirrored if self.direction == "sendrecv" else self.direction
        codecs = (codec,) if codec else self.phone.codecs
        tag = (offer.crypto or "1").split()[0]
        crypto = crypto_line(self.srtp_key, tag) if self.srtp_key else None
        dtmf = offer.dtmf_payload is not None
        return build_sdp(host, port, codecs, direction, self.sdp_version, dtmf, crypto)

    async def _until_acknowledged(self, invite: SipMessage, within: float) -> None:
        """Repeat the 200 until its ACK comes, as UDP may lose it (RFC 3261, 13.3.1.4)."""
        self.acknowledged = False
        deadline, pause = Deadline(within), 0.5
        while not (self.acknowledged or self.state is CallState.ENDED):
            if deadline.over:
                raise self._missed(f"the ACK of its answer, {within:g} s")
            try:
                step = min(pause, within)
                await self.signal.until(lambda: self.acknowledged or self.state is CallState.ENDED, step, lambda: "")
            except Missed:
                self.phone.repeat_response(invite)
                pause *= 2

    async def _renegotiate(self, direction: str, within: float) -> None:
        self.direction = direction
        headers = [*self.phone.contact_headers(), SDP_TYPE]
        response = await self.request("INVITE", headers, self.own_sdp(), within)
        if response.status >= 300:
            raise self._missed(f"consent to its re-INVITE ({response.status} {response.reason})")
        self.phone.send(self.ack(response), self.dialog.peer)
        self.take_sdp(response)

    async def _refresh(self, every: float) -> None:
        """Keep the session alive as its refresher (RFC 4028) while the call stands."""
        while self.state is CallState.ANSWERED:
            await asyncio.sleep(every)
            await self.request("UPDATE", [*self.phone.contact_headers(), *self._timer_headers(self.invite)])

    def _timer_headers(self, request: SipMessage) -> list[tuple[str, str]]:
        """Session-Expires of the answer: as asked, refreshed by the caller unless said otherwise."""
        asked = request.header("Session-Expires")
        if asked is None:
            return []
        self.session_expires = asked if "refresher" in asked else f"{asked};refresher=uac"
        return [("Require", "timer"), ("Session-Expires", self.session_expires)]

    def _on_ack(self, request: SipMessage) -> None:
        self.acknowledged = True
        self.take_sdp(request)

    def _on_bye(self, request: SipMessage) -> None:
        self.phone.respond(request, 200, self.dialog)
        self.ending = request
        self.finish(by_us=False)

    def _on_reinvite(self, request: SipMessage) -> None:
        self.take_sdp(request)
        body = b""
        if request.body or request.method == "INVITE":
            body = self._answer_sdp() if request.body else self.own_sdp()
        headers = [*self.phone.contact_headers(), *self._timer_headers(request), *([SDP_TYPE] if body else [])]
        self.phone.respond(request, 200, self.dialog, headers, body)
        if request.method == "INVITE":
            self.spawn(self._until_acknowledged(request, 5))

    def _on_info(self, request: SipMessage) -> None:
        match = re.search(r"Signal\s*=\s*([0-9A-D*#])", request.body.decode("utf-8", "replace"))
        if match:
            self.digits_heard.append(Digit(time.monotonic(), match[1], "info"))
        self.phone.respond(request, 200, self.dialog)

    def _on_notify(self, request: SipMessage) -> None:
        self.notifies.append(request)
        self.phone.respond(request, 200, self.dialog)

    def _on_refer(self, request: SipMessage) -> None:
        self.phone.respond(request, 603, self.dialog)

    def _on_other(self, request: SipMessage) -> None:
        self.phone.respond(request, 200, self.dialog)
