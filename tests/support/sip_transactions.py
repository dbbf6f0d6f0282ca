"""SIP transactions (RFC 3261, section 17) of the test phone: send, repeat, authenticate, answer, repeat the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tests.support.sip_digest import Challenge, authorization
from tests.support.sip_message import MAGIC, SipMessage, token
from tests.support.sip_wire import Peer, Trace, Wire
from tests.support.waiting import Deadline, Missed, Signal

if TYPE_CHECKING:
    from tests.support.sip_call import Dialog

Headers = list[tuple[str, str]]
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, REFER, MESSAGE"
T1 = 0.5


class Transactions:
    """The part of a phone that knows requests and responses but not what a call is."""

    def __init__(self, user: str, secret: str | None, server: Peer) -> None:
        self.user, self.secret, self.server = user, secret, server
        self.auth_user = user
        self.trace = Trace()
        self.signal = Signal()
        self._waiting: dict[tuple[str, str], asyncio.Queue[SipMessage]] = {}
        self._acks: dict[str, tuple[bytes, Peer]] = {}
        self._sent_invites: dict[str, SipMessage] = {}
        self._responses: dict[tuple[str, str], tuple[bytes, Peer]] = {}
        self._peers: dict[tuple[str, str], Peer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wire: Wire | None = None
        self.failures: list[BaseException] = []

    @property
    def wire(self) -> Wire:
        assert self._wire is not None, "The phone is not open; use SipPhone.start()."
        return self._wire

    @property
    def address(self) -> Peer:
        """The phone's own SIP address."""
        return self.wire.local

    async def transact(
        self,
        request: SipMessage,
        within: float,
        peer: Peer | None = None,
        provisional: Callable[[SipMessage], None] | None = None,
    ) -> SipMessage:
        """Send a request and give its final answer, digest challenges answered once on the way."""
        response = await self._once(request, within, peer or self.server, provisional)
        if response.status not in (401, 407) or self.secret is None:
            return response
        name = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
        challenges = [Challenge.parse(value) for value in response.all(name)]
        usable = next((challenge for challenge in challenges if challenge.known), None)
        if usable is None:
            return response
        reply = "Authorization" if response.status == 401 else "Proxy-Authorization"
        value = authorization(usable, self.auth_user, self.secret, request.method, request.uri)
        number = request.cseq[0] + 1
        again = request.with_header("CSeq", f"{number} {request.method}").with_header(reply, value)
        again = _with_branch(again, self.via(f"{MAGIC}{token()}"))
        return await self._once(again, within, peer or self.server, provisional)

    async def _once(
        self,
        request: SipMessage,
        within: float,
        peer: Peer,
        provisional: Callable[[SipMessage], None] | None,
    ) -> SipMessage:
        """One client transaction (RFC 3261, 17.1), repeated over UDP until something answers."""
        key = (request.branch, request.method)
        queue: asyncio.Queue[SipMessage] = asyncio.Queue()
        self._waiting[key] = queue
        if request.method == "INVITE":
            self._sent_invites[request.call_id] = request
        deadline, pause, answered = Deadline(within), T1, False
        self.send(request, peer)
        try:
            while (left := deadline.left) > 0:
                step = left if answered or self.wire.reliable else min(left, pause)
                try:
                    response = await asyncio.wait_for(queue.get(), step)
                except TimeoutError:
                    if not answered and not deadline.over:
                        self.send(request, peer)
                        pause = min(pause * 2, 4)
                    continue
                answered = True
                if response.status >= 200:
                    self._acknowledge_refusal(request, response, peer)
                    return response
                if provisional is not None:
                    provisional(response)
        finally:
            del self._waiting[key]
        raise Missed(f"{self.user}: no answer to {request.start!r} in {within:g} s.\n{self.trace.text()}")

    def _acknowledge_refusal(self, request: SipMessage, response: SipMessage, peer: Peer) -> None:
        """ACK of a non-2xx belongs to the INVITE's transaction (RFC 3261, 17.1.1.3)."""
        if request.method != "INVITE" or response.status < 300:
            return
        kept = ("via", "from", "call-id", "route", "max-forwards")
        headers = [pair for pair in request.headers if pair[0].lower() in kept]
        headers += [("To", response.header("To") or ""), ("CSeq", f"{request.cseq[0]} ACK")]
        ack = SipMessage(request.start.replace("INVITE", "ACK", 1), headers)
        self._acks[request.branch] = (ack.encode(), peer)
        self.send(ack, peer)

    def send(self, message: SipMessage, peer: Peer) -> None:
        data = message.encode()
        self.trace.add(True, peer, data)
        self.wire.send(data, peer)

    def respond(
        self,
        request: SipMessage,
        status: int,
        dialog: Dialog | None = None,
        headers: Headers | None = None,
        body: bytes = b"",
        reason: str | None = None,
    ) -> None:
        """Answer a request; a repeated request gets the same answer again."""
        tag = dialog.local_tag if dialog is not None else token()
        response = request.reply(status, tag, [*(headers or []), ("Allow", ALLOW)], body, reason)
        key = (request.branch, request.method)
        peer = self._peers.get(key, self.server)
        self._responses[key] = (response.encode(), peer)
        self.send(response, peer)

    def repeat_response(self, request: SipMessage) -> None:
        data, peer = self._responses[(request.branch, request.method)]
        self.trace.add(True, peer, data)
        self.wire.send(data, peer)

    def via(self, branch: str) -> str:
        host, port = self.address
        return f"SIP/2.0/{self.wire.name} {host}:{port};rport;branch={branch}"

    def contact_headers(self) -> Headers:
        host, port = self.address
        transport = "" if self.wire.name == "UDP" else f";transport={self.wire.name.lower()}"
        return [("Contact", f"<sip:{self.user}@{host}:{port}{transport}>"), ("Supported", "timer, replaces")]

    def _received(self, data: bytes, peer: Peer) -> None:
        message = self.trace.add(False, peer, data)
        if message is None:
            return
        if message.is_request:
            self._received_request(message, peer)
        else:
            self._received_response(message)

    def _received_response(self, response: SipMessage) -> None:
        queue = self._waiting.get((response.branch, response.method))
        if queue is not None:
            queue.put_nowait(response)
        elif response.method == "INVITE" and response.branch in self._acks:
            self.wire.send(*self._acks[response.branch])

    def _received_request(self, request: SipMessage, peer: Peer) -> None:
        raise NotImplementedError

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What went wrong in the background is kept in `failures`; a lost race is often no fault."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)


def _with_branch(request: SipMessage, via: str) -> SipMessage:
    return SipMessage(
        request.start,
        [("Via", via) if name == "Via" else (name, value) for name, value in request.headers],
        request.body,
    )
