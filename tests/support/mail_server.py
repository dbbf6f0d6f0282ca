"""A mail server that keeps what it is given; as much of SMTP as a client of ours needs."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


class MailServer:
    """``refuses``: it takes no letters for now."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refuses = False
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.letters.append(cast(EmailMessage, message_from_bytes(raw[:-3], policy=policy.default)))
            if word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"451 later\r\n" if self.refuses and word == b"MAIL" else b"250 ok\r\n")
        writer.close()
