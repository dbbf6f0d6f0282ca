"""Sends users the messages that callers left them, where a mail server is set (I7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import structlog

from crm import languages
from crm.directory import Directory
from crm.errors import Refused
from crm.phone_numbers import display
from crm.services import voicemail_letters as letters
from crm.services.voicemail_letters import Due
from crm.unit_of_work import ENGINE, Store
from pbx.services.letters import File, Letter, Mail, send_every

log = structlog.get_logger("voicemail_mail")

LOOK_EVERY_S = 5.0
LARGEST = 8_000_000
"""Bytes of a file that goes along: many mail servers take no letter above ten."""
_KINDS = {".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav"}


class VoicemailMail:
    def __init__(self, store: Store, mail: Mail, directory: Callable[[], Directory], recordings: Path) -> None:
        self._store, self._mail, self._directory, self._recordings = store, mail, directory, recordings

    async def run(self) -> None:
        """For as long as the engine runs."""
        await send_every(LOOK_EVERY_S, lambda: self._mail.ready, self.send_due, "voicemail_mail")

    async def send_due(self) -> None:
        wanted = str(self._directory().settings["voicemail.mail"])
        if wanted == "off":
            return
        async with self._store.read() as session:
            due = await letters.due(session, self._store.clock())
        for one in due:
            await self._send(one, with_file=wanted == "file")

    async def _send(self, one: Due, *, with_file: bool) -> None:
        try:
            async with self._store.write(ENGINE) as work:
                if not await letters.claim(work, one.voicemail_id):
                    return
        except Refused as refused:
            if refused.status == 409:  # another engine claimed it in the same moment, or it was destroyed
                return
            raise
        file = await asyncio.to_thread(self._file, one) if with_file else None
        error = await self._mail.send(letter(one, file))
        if error is not None:
            log.warning("voicemail_mail.not_sent", voicemail=one.voicemail_id, why=error)
        async with self._store.write(ENGINE) as work:
            await letters.note(work, one.voicemail_id, error)

    def _file(self, one: Due) -> File | None:
        """None where it is too large or gone: the letter says all the same that there is a message."""
        base = self._recordings.resolve()
        path = (base / one.path).resolve()
        try:
            if not one.path or not path.is_relative_to(base) or path.stat().st_size > LARGEST:
                return None
            suffix = PurePath(one.path).suffix
            return File(f"voicemail{suffix}", _KINDS.get(suffix, "application/octet-stream"), path.read_bytes())
        except OSError as error:
            log.warning("voicemail_mail.no_file", voicemail=one.voicemail_id, why=str(error))
            return None


def letter(one: Due, file: File | None) -> Letter:
    """In the language and by the clock of whoever was called."""
    number = display(one.number, one.country) if one.number else ""
    when = datetime.fromtimestamp(one.created_us / 1e6, ZoneInfo(one.time_zone)).strftime("%Y-%m-%d %H:%M")
    lines = [
        f"{_who(one.caller, number)} left a message of {_clock(one.duration_ms)} on {when}.",
        "The message goes along with this letter." if file else "Hear it under Voicemail in the console.",
    ]
    subject = languages.say(f"Voicemail from {_who(one.caller, number)}", one.language)
    text = "\n\n".join(languages.say(line, one.language) for line in lines) + "\n"
    return Letter(one.email, " ".join(subject.split()), text, one.voicemail_id, file)


def _who(caller: str, number: str) -> str:
    if caller and number:
        return f"{caller} ({number})"
    return caller or number or "a hidden number"


def _clock(ms: int) -> str:
    seconds = round(ms / 1000)
    return f"{seconds // 60}:{seconds % 60:02}"
