"""One AMI action over a connection of its own, for starting up and for the practice carrier.

The engine's standing AMI link is another thing (``ami``): this one logs in, asks, and leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pbx.adapters.asterisk.embedded.errors import BuildError


async def ami_once(
    port: int, user: str, secret: str, action: Mapping[str, str] | None = None, deadline_s: float = 5.0
) -> dict[str, str]:
    """Log in and carry out ``action``; its response. Without an action, the login's.

    Raises OSError (no listener), TimeoutError, or BuildError where Asterisk refuses.
    """
    async with asyncio.timeout(deadline_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readline()  # the banner
            login = {"Action": "Login", "Username": user, "Secret": secret, "Events": "off"}
            answer = await _ask(reader, writer, login)
            return await _ask(reader, writer, action) if action else answer
        finally:
            writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, action: Mapping[str, str]) -> dict[str, str]:
    name = action["Action"]
    if any("\r" in value or "\n" in value for value in action.values()):
        raise BuildError(f"The action {name} may not hold line breaks.")
    lines = [f"{key}: {value}" for key, value in action.items()]
    writer.write(("\r\n".join([*lines, "ActionID: once"]) + "\r\n\r\n").encode())
    while True:
        block = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        fields = dict(line.split(": ", 1) for line in block.split("\r\n") if ": " in line)
        if fields.get("ActionID") != "once" or "Response" not in fields:
            continue
        if fields["Response"] != "Success":
            raise BuildError(f"Asterisk refused {name}: {fields.get('Message', 'no reason given')}.")
        return fields
