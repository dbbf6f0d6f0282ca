"""A SIP phone for tests that reads like a script.

    phone = await SipPhone.start(user="d7kq2m9xw4", secret="...", server=("127.0.0.1", 5060), tone=440)
    call = await phone.call("+12065550150")
    await call.until_answered(within=3)
    await call.until_hears(700)
    await call.hang_up()

    ring = await phone.incoming(within=3)
    assert ring.caller_number == "+12065550142"
    await ring.answer()

A phone without a secret does not register: it is a trunk's other end, known by its address and port.
Everything waits with a deadline and fails with the trace of all messages.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.support.rtp import RtpStream
from tests.support.sip_call import SDP_TYPE, Call, CallState, Dialog
from tests.support.sip_message import MAGIC, Address, SipMessage, token
from tests.support.sip_transactions import Headers, Transactions
from tests.support.sip_wire import Peer, open_wire
from tests.support.waiting import Missed

Behaviour = Callable[[Call], Awaitable[None]]
RING_FOR_EVER_S = 120.0


class SipPhone(Transactions):
    """One registered phone, or one trunk peer, with any number of calls at once."""

    def __init__(self, user: str, secret: str | None, server: Peer, tone: float | None, domain: str) -> None:
        super().__init__(user, secret, server)
        self.tone, self.domain = tone, domain
        self.codecs: tuple[str, ...] = ("PCMU", "PCMA")
        self.calls: list[Call] = []
        self.messages: list[SipMessage] = []
        self.others: list[SipMessage] = []
        self.registered_until: float | None = None
        self.obeys_auto_answer = False
        self.srtp = False
        self.register_status = 200
        self.message_status: int | None = 200  # what a MESSAGE gets; None is silence
        self.message_headers: Headers = []
        self.behaviour: Behaviour = _ring
        self._early_cancels: dict[str, SipMessage] = {}
        self._unseen: deque[Call] = deque()
        self._ignored: set[str] = set()
        self._register_sequence = 0
        self._register_call_id = token()

    @classmethod
    async def start(
        cls,
        user: str,
        server: Peer,
        secret: str | None = None,
        tone: float | None = None,
        *,
        transport: str = "udp",
        host: str = "127.0.0.1",
        port: int = 0,
        domain: str | None = None,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        register: bool | None = None,
        expires: int = 300,
        srtp: bool = False,
    ) -> SipPhone:
        """Open the phone and register it where it has a secret (or `register` says so).

        `srtp` offers and answers SRTP with the key in SDP, and nothing else.
        """
        phone = cls(user, secret, server, tone, domain or server[0])
        phone.codecs, phone.srtp = codecs, srtp
        phone._wire = await open_wire(transport, server, host, port, phone._received)
        if register if register is not None else secret is not None:
            await phone.register(expires)
        return phone

    async def stop(self) -> None:
        """Hang up everything, unregister, close."""
        for call in [call for call in self.calls if call.state is not CallState.ENDED]:
            await _quietly(call.hang_up(within=1))
        if self.registered_until is not None:
            await _quietly(self.register(0, within=1))
        self.vanish()

    def vanish(self) -> None:
        """Be gone without a word, as a phone whose plug was pulled."""
        for call in self.calls:
            call.rtp.close()
            for task in call.tasks:
                task.cancel()
        for task in self._tasks:
            task.cancel()
        if self._wire is not None:
            self._wire.close()

    # How it meets incoming calls

    def will_ring(self) -> None:
        """180 at once, then wait for the test (this is how a phone starts)."""
        self.behaviour = _ring

    def will_answer(self, after: float = 0.0) -> None:
        """180, then 200 after a while."""

        async def behaviour(call: Call) -> None:
            call.ring()
            await asyncio.sleep(after)
            if call.state is CallState.RINGING:
                await call.answer()

        self.behaviour = behaviour

    def will_send_early_media(self, answer_after: float | None = None) -> None:
        """183 with sound; then 200, if a time is given."""

        async def behaviour(call: Call) -> None:
            call.send_early_media()
            if answer_after is not None:
                await asyncio.sleep(answer_after)
                if call.state is CallState.RINGING:
                    await call.answer()

        self.behaviour = behaviour

    def will_reject(self, status: int = 486, after: float = 0.0, reason: str | None = None) -> None:
        async def behaviour(call: Call) -> None:
            if after:
                call.ring()
                await asyncio.sleep(after)
            if call.state is CallState.RINGING:
                call.reject(status, reason)

        self.behaviour = behaviour

    def will_ignore(self) -> None:
        """No answer at all, not even 100: a phone that is listed but dead."""

        async def behaviour(call: Call) -> None:
            self._ignored.add(call.dialog.call_id)

        self.behaviour = behaviour

    def will_try_first(self, ring_after: float) -> None:
        """100 at once and no more for a while, as a carrier that looks for the way; then 180."""

        async def behaviour(call: Call) -> None:
            call.trying()
            await asyncio.sleep(ring_after)
            if call.state is CallState.RINGING:
                call.ring()

        self.behaviour = behaviour

    def will_answer_late(self, after: float) -> None:
        """Nothing at all for a while; then 200 straight away, whatever the caller has done meanwhile."""

        async def behaviour(call: Call) -> None:
            self._ignored.add(call.dialog.call_id)
            await asyncio.sleep(after)
            self._ignored.discard(call.dialog.call_id)
            await call.answer()

        self.behaviour = behaviour

    async def incoming(self, within: float = 3) -> Call:
        """The next call that came in (in any state), oldest first."""
        await self.signal.until(
            lambda: bool(self._unseen),
            within,
            lambda: f"{self.user} waited {within:g} s for a call.\n{self.trace.text()}",
        )
        return self._unseen.popleft()

    @property
    def current(self) -> Call:
        """The newest call that is not over, else the newest."""
        alive = [call for call in self.calls if call.state is not CallState.ENDED]
        if not self.calls:
            raise Missed(f"{self.user} has had no call.\n{self.trace.text()}")
        return (alive or self.calls)[-1]

    @property
    def live_calls(self) -> list[Call]:
        return [call for call in self.calls if call.state is not CallState.ENDED]

    def hears(self, hz: float, within: float = 0.4) -> bool:
        """Whether the current call's ear has the tone now."""
        return self.current.hears(hz, within)

    async def until_hears(self, hz: float, within: float = 3) -> float:
        return await self.current.until_hears(hz, within)

    def heard_silence_between(self, start: float, end: float) -> bool:
        return self.current.heard_silence_between(start, end)

    # What it does by itself

    async def register(self, expires: int = 300, within: float = 4) -> SipMessage:
        """REGISTER with digest; raises Missed unless it is accepted. `expires=0` unregisters."""
        response = await self.try_register(expires, within)
        if response.status != 200:
            raise Missed(f"{self.user} could not register: {response.status} {response.reason}\n{self.trace.text()}")
        return response

    async def try_register(self, expires: int = 300, within: float = 4) -> SipMessage:
        """REGISTER; the final answer, whatever it is."""
        self._register_sequence += 10
        aor = f"<sip:{self.user}@{self.domain}>"
        request = SipMessage(
            f"REGISTER sip:{self.domain} SIP/2.0",
            [
                ("Via", self.via(f"{MAGIC}{token()}")),
                ("Max-Forwards", "70"),
                ("From", f"{aor};tag={token()}"),
                ("To", aor),
                ("Call-ID", self._register_call_id),
                ("CSeq", f"{self._register_sequence} REGISTER"),
                *self.contact_headers(),
                ("Expires", str(expires)),
            ],
        )
        response = await self.transact(request, within)
        if response.status == 200:
            self.registered_until = time.monotonic() + expires if expires else None
        return response

    async def call(
        self,
        number: str,
        *,
        caller: str | None = None,
        name: str | None = None,
        headers: Headers | None = None,
        request_uri: str | None = None,
        to: str | None = None,
        from_: str | None = None,
        session_expires: int | None = None,
        offer: bytes | None = None,
        tone: float | None = None,
    ) -> Call:
        """Send an INVITE and return the call at once; nothing is awaited but the opening of its RTP port.

        `request_uri`, `to` and `from_` are sent as they are, unescaped, for hostile input (`from_` gets a
        tag, if it has none). `offer=b""` sends an INVITE without SDP.
        """
        rtp = await RtpStream.open(self.address[0], self.tone if tone is None else tone)
        uri = request_uri if request_uri is not None else f"sip:{number}@{self.domain}"
        origin = from_ if from_ is not None else f"<sip:{caller or self.user}@{self.domain}>"
        origin = f'"{name}" {origin}' if name is not None else origin
        tag = token()
        origin = origin if ";tag=" in origin else f"{origin};tag={tag}"
        target = to if to is not None else f"<sip:{number}@{self.domain}>"
        dialog = Dialog(token(), tag, origin, target, uri, self.server, sequence=1)
        timer = [("Session-Expires", str(session_expires))] if session_expires else []
        invite = SipMessage(
            f"INVITE {uri} SIP/2.0",
            [
                ("Via", self.via(f"{MAGIC}{token()}")),
                ("Max-Forwards", "70"),
                ("From", origin),
                ("To", target),
                ("Call-ID", dialog.call_id),
                ("CSeq", "1 INVITE"),
                *self.contact_headers(),
                *timer,
                *(headers or []),
            ],
        )
        call = Call(self, invite, dialog, outgoing=True, rtp=rtp)
        invite.body = call.own_sdp() if offer is None else offer
        if invite.body:
            invite.headers.append(SDP_TYPE)
        self.calls.append(call)
        self._spawn(self._invite(call))
        return call

    async def text(
        self, to: str, body: str, within: float = 3, *, kind: str = "text/plain", caller: str | None = None
    ) -> SipMessage:
        """Send a MESSAGE (RFC 3428); its final answer. Received ones are in `messages`."""
        request = self._outside(f"sip:{to}@{self.domain}", "MESSAGE", [("Content-Type", kind)])
        if caller is not None:
            request = request.with_header("From", f"<sip:{caller}@{self.domain}>;tag={token()}")
        request.body = body.encode()
        return await self.transact(request, within)

    async def options(self, within: float = 3) -> SipMessage:
        return await self.transact(self._outside(f"sip:{self.domain}", "OPTIONS", []), within)

    def send_raw(self, data: bytes) -> None:
        """Send any bytes at all to the server. What comes back is in `trace`."""
        self.trace.add(True, self.server, data)
        self.wire.send(data, self.server)

    # Calls

    async def _invite(self, call: Call) -> None:
        try:
            final = await self.transact(call.invite, RING_FOR_EVER_S, provisional=call.received_answer)
        except Missed:
            call.finish(by_us=False)
            return
        call.dialog.sequence = final.cseq[0]
        if final.status < 300:
            ack = call.ack(final)
            self._acks[final.branch] = (ack.encode(), call.dialog.peer)
            self.send(ack, call.dialog.peer)
        call.received_answer(final)

    async def send_cancel(self, call: Call, headers: Headers, within: float) -> None:
        """CANCEL the INVITE that is under way: same branch and number (RFC 3261, 9.1)."""
        invite = self._sent_invites[call.dialog.call_id]
        kept = ("via", "from", "to", "call-id", "route", "max-forwards")
        common = [pair for pair in invite.headers if pair[0].lower() in kept]
        cancel = SipMessage(
            invite.start.replace("INVITE", "CANCEL", 1),
            [*common, ("CSeq", f"{invite.cseq[0]} CANCEL"), *headers],
        )
        await self._once(cancel, within, call.dialog.peer, None)

    # What arrives

    def _received_request(self, request: SipMessage, peer: Peer) -> None:
        key = (request.branch, request.method)
        if request.call_id in self._ignored:
            return
        if request.method != "ACK" and key in self._responses:
            self.wire.send(*self._responses[key])
            return
        self._peers[key] = peer
        call = next((call for call in self.calls if call.dialog.call_id == request.call_id), None)
        if request.method == "INVITE" and call is None:
            self._responses[key] = (request.reply(100).encode(), peer)  # what a repeated INVITE gets for now
            self._spawn(self._take_call(request, peer))
        elif request.method == "CANCEL" and call is not None:
            call.cancelled(request)
        elif request.method == "CANCEL" and (request.branch, "INVITE") in self._responses:
            self._early_cancels[request.call_id] = request  # the call's RTP port is just being opened
        elif call is not None and request.to_tag:
            call.received_request(request)
        else:
            self._outside_request(request)
        self.signal.fire()

    def _outside_request(self, request: SipMessage) -> None:
        if request.method == "ACK":
            return
        self.others.append(request)
        if request.method == "MESSAGE":
            self.messages.append(request)
            if self.message_status is not None:
                self.respond(request, self.message_status, None, self.message_headers)
            return
        if request.method == "REGISTER":  # a trunk that registers with us
            self.respond(request, self.register_status, None, [("Contact", request.header("Contact") or "*")])
        elif request.method in ("BYE", "CANCEL", "INFO", "UPDATE"):
            self.respond(request, 481)
        else:
            self.respond(request, 200)

    async def _take_call(self, invite: SipMessage, peer: Peer) -> None:
        local, remote = invite.header("To") or "", invite.header("From") or ""
        target = Address.parse(invite.header("Contact") or "").uri
        tag = token()
        dialog = Dialog(invite.call_id, tag, f"{local};tag={tag}", remote, target, peer, invite.from_tag)
        dialog.routes = invite.all("Record-Route")
        rtp = await RtpStream.open(self.address[0], self.tone)
        call = Call(self, invite, dialog, outgoing=False, rtp=rtp)
        self._take_offer(call)
        self.calls.append(call)
        self._unseen.append(call)
        self.signal.fire()
        if cancel := self._early_cancels.pop(invite.call_id, None):
            call.cancelled(cancel)
        elif self.obeys_auto_answer and _asks_auto_answer(invite):
            await call.answer()
        else:
            await self.behaviour(call)

    def _take_offer(self, call: Call) -> None:
        """Note the offer but stay mute: a called phone talks once it answers or sends early media."""
        call.rtp.sending = False
        call.take_sdp(call.invite)

    def _outside(self, uri: str, method: str, headers: Headers) -> SipMessage:
        """A request outside any dialog."""
        return SipMessage(
            f"{method} {uri} SIP/2.0",
            [
                ("Via", self.via(f"{MAGIC}{token()}")),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{self.user}@{self.domain}>;tag={token()}"),
                ("To", f"<{uri}>"),
                ("Call-ID", token()),
                ("CSeq", f"1 {method}"),
                *self.contact_headers(),
                *headers,
            ],
        )


async def _ring(call: Call) -> None:
    call.ring()


async def _quietly(work: Awaitable[object]) -> None:
    """At the end of a test a peer may be gone; that is no failure of the test."""
    with suppress(Missed, OSError):
        await work


def _asks_auto_answer(invite: SipMessage) -> bool:
    """The headers by which desk phones are told to answer by themselves."""
    told = " ".join([*invite.all("Call-Info"), *invite.all("Alert-Info")]).lower()
    return "answer-after" in told or "autoanswer" in told.replace("-", "")
