"""One AMI action over a connection of its own, for starting up and for the practice carrier.

The engine's standing AMI link is another thing (``ami``): this one logs in, asks, and leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pbx.adapters.asterisk.embedded.errors import BuildError

_ACTION_ID = "once"


async def ami_once(
    port: int,
    user: str,
    secret: str,
    action: Mapping[str, str],
    deadline_s: float = 5.0,
    *,
    until: Callable[[dict[str, str]], bool] | None = None,
) -> dict[str, str]:
    """Log in and carry out ``action``; its response, or the first event for which ``until`` says so.

    Raises OSError (no listener), TimeoutError, or BuildError where Asterisk refuses.
    """
    async with asyncio.timeout(deadline_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readline()  # the banner
            events = "call,system" if until else "off"
            await _ask(reader, writer, {"Action": "Login", "Username": user, "Secret": secret, "Events": events})
            answer = await _ask(reader, writer, action)
            return await _block(reader, until) if until else answer
        finally:
            writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, action: Mapping[str, str]) -> dict[str, str]:
    name = action["Action"]
    if any("\r" in value or "\n" in value for value in action.values()):
        raise BuildError(f"The action {name} may not hold line breaks.")
    lines = [f"{key}: {value}" for key, value in action.items()]
    writer.write(("\r\n".join([*lines, f"ActionID: {_ACTION_ID}"]) + "\r\n\r\n").encode())
    answer = await _block(reader, lambda block: block.get("ActionID") == _ACTION_ID and "Response" in block)
    if answer["Response"] != "Success":
        raise BuildError(f"Asterisk refused {name}: {answer.get('Message', 'no reason given')}.")
    return answer


async def _block(reader: asyncio.StreamReader, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """The next response or event that is wanted; others are passed over."""
    while True:
        text = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        block = dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)
        if wanted(block):
            return block
