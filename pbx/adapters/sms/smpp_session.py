"""One bound connection to an SMSC: PDUs in and out, in a window, kept alive (SMPP 3.4). The codec is smpplib's."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import structlog
from smpplib import consts, smpp
from smpplib.exceptions import PDUError, UnknownCommandError

log = structlog.get_logger("smpp")

CONNECT_S = 10.0
ANSWER_S = 15.0
LARGEST_PDU = 70_000
TEMPORARY_FOR_US = 0x64  # ESME_RX_T_APPN: send it again later
NOT_UNDERSTOOD = 0x65  # ESME_RX_P_APPN
_BROKEN = (PDUError, UnknownCommandError, KeyError, ValueError, IndexError, TypeError)


class Lost(Exception):
    """The connection is gone, or silent. ``left`` tells whether the request may have arrived."""

    def __init__(self, sentence: str, *, left: bool) -> None:
        super().__init__(sentence)
        self.left = left


class NotBound(Exception):
    """The SMSC does not let us in; the text is a sentence. ``ours`` tells whether our settings are at fault."""

    def __init__(self, sentence: str, *, ours: bool) -> None:
        super().__init__(sentence)
        self.ours = ours


@dataclass(frozen=True, slots=True)
class Login:
    host: str
    port: int
    tls: bool
    system_id: str
    password: str
    system_type: str
    window: int
    enquire_s: float


Deliver = Callable[[Any], Awaitable[int]]
"""Takes a deliver_sm and gives the status that it is answered with."""


class Session:
    def __init__(self, login: Login, deliver: Deliver) -> None:
        self._login, self._deliver = login, deliver
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._window = asyncio.Semaphore(login.window)
        self._delivering: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self.closed = False

    @classmethod
    async def open(cls, login: Login, deliver: Deliver) -> Self:
        """Connect and bind as a transceiver. Raises Lost or NotBound."""
        session = cls(login, deliver)
        tls = ssl.create_default_context() if login.tls else None
        try:
            opening = asyncio.open_connection(login.host, login.port, ssl=tls)
            session._reader, session._writer = await asyncio.wait_for(opening, CONNECT_S)
        except (OSError, TimeoutError) as error:
            raise Lost(f"{login.host} port {login.port} cannot be reached.", left=False) from error
        try:
            await session._bind()
        except BaseException:
            session._writer.close()
            raise
        return session

    async def run(self) -> None:
        """Read until the connection ends, and try it when it is silent."""
        keeping = asyncio.ensure_future(self._keep_alive())
        try:
            while (pdu := await self._read()) is not None:
                self._heard.set()
                self._take(pdu)
        except (OSError, asyncio.IncompleteReadError, *_BROKEN) as error:
            log.info("smpp.connection_ended", why=str(error) or type(error).__name__)
        finally:
            keeping.cancel()
            await self.close()

    async def submit(self, **fields: Any) -> Any:
        """One short message; the SMSC's answer with ``status`` and ``message_id``. Raises Lost."""
        async with self._window:
            return await self._ask("submit_sm", **fields)

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Lost("The connection to the SMSC was lost.", left=True))
        for task in self._delivering:
            task.cancel()
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1)

    async def unbind(self) -> None:
        """Leave as one should; an SMSC that does not answer is left all the same."""
        with contextlib.suppress(Lost, TimeoutError):
            await asyncio.wait_for(self._ask("unbind"), 1)
        await self.close()

    # -- requests of ours ---------------------------------------------------------------------------

    async def _bind(self) -> None:
        login = self._login
        request = self._made(
            "bind_transceiver",
            system_id=login.system_id,
            password=login.password,
            system_type=login.system_type,
        )
        self._writer.write(request.generate())
        try:
            answer = await asyncio.wait_for(self._read(), CONNECT_S)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, *_BROKEN) as error:
            raise Lost(f"{login.host} does not speak SMPP with us.", left=False) from error
        if answer is None or answer.status != consts.SMPP_ESME_ROK:
            raise _not_bound(answer.status if answer else None)

    async def _ask(self, command: str, **fields: Any) -> Any:
        request = self._made(command, **fields)
        octets = request.generate()
        if self.closed:
            raise Lost("There is no connection to the SMSC.", left=False)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request.sequence] = answer
        try:
            self._writer.write(octets)
            return await asyncio.wait_for(answer, ANSWER_S)
        except TimeoutError as error:
            raise Lost(f"The SMSC did not answer within {ANSWER_S:.0f} s.", left=True) from error
        finally:
            del self._waiting[request.sequence]

    async def _keep_alive(self) -> None:
        while True:
            self._heard.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._login.enquire_s):
                    await self._heard.wait()
                continue
            try:
                await self._ask("enquire_link")
            except Lost:
                self._writer.close()
                return

    # -- what comes ---------------------------------------------------------------------------------

    def _take(self, pdu: Any) -> None:
        if pdu.command.endswith("_resp") or pdu.command == "generic_nack":
            waiting = self._waiting.get(pdu.sequence)
            if waiting is not None and not waiting.done():
                waiting.set_result(pdu)
        elif pdu.command == "deliver_sm":
            task = asyncio.ensure_future(self._answer_delivery(pdu))
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)
        elif pdu.command in ("enquire_link", "unbind"):
            self._answer(f"{pdu.command}_resp", pdu.sequence)
            if pdu.command == "unbind":
                raise ConnectionError("The SMSC has ended the session.")
        else:
            self._answer("generic_nack", pdu.sequence, consts.SMPP_ESME_RINVCMDID)

    async def _answer_delivery(self, pdu: Any) -> None:
        try:
            status = await self._deliver(pdu)
        except Exception:
            log.exception("smpp.delivery_failed")
            status = TEMPORARY_FOR_US
        if not self.closed:
            self._answer("deliver_sm_resp", pdu.sequence, status)

    def _answer(self, command: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> None:
        answer = smpp.make_pdu(command, client=self, status=status or None)
        answer.sequence = sequence
        self._writer.write(answer.generate())

    async def _read(self) -> Any:
        """The next PDU; one that we do not understand is answered and passed over. None at the end."""
        while True:
            try:
                head = await self._reader.readexactly(4)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
                return None
            length = int.from_bytes(head)
            if not 16 <= length <= LARGEST_PDU:
                raise ConnectionError(f"The SMSC sent a PDU of {length} octets.")
            octets = head + await self._reader.readexactly(length - 4)
            try:
                return smpp.parse_pdu(octets, client=self, allow_unknown_opt_params=True)
            except _BROKEN as error:
                log.warning("smpp.pdu_not_understood", why=str(error))
                self._refuse(int.from_bytes(octets[4:8]), int.from_bytes(octets[12:16]))

    def _refuse(self, command: int, sequence: int) -> None:
        if command == _DELIVER_SM:
            self._answer("deliver_sm_resp", sequence, NOT_UNDERSTOOD)
        elif command < _RESPONSE:
            self._answer("generic_nack", sequence, consts.SMPP_ESME_RINVCMDID)

    def _made(self, command: str, **fields: Any) -> Any:
        return smpp.make_pdu(command, client=self, **fields)

    # As smpplib's codec asks its client for numbers.

    @property
    def sequence(self) -> int:
        return self._sequence

    def next_sequence(self) -> int:
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence


_DELIVER_SM, _RESPONSE = 0x05, 0x80000000


def _not_bound(status: int | None) -> NotBound:
    if status in (consts.SMPP_ESME_RINVPASWD, consts.SMPP_ESME_RINVSYSID, consts.SMPP_ESME_RBINDFAIL):
        return NotBound("The SMSC does not know us: check system id and password.", ours=True)
    if status == consts.SMPP_ESME_RALYBND:
        return NotBound("The SMSC has a session of ours already: end the other one, or wait.", ours=False)
    said = consts.DESCRIPTIONS.get(status, f"status {status}") if status is not None else "it hung up"
    return NotBound(f"The SMSC does not let us in ({said}).", ours=False)
