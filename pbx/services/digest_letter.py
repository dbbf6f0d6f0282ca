"""A digest as a letter, in its reader's language."""

from __future__ import annotations

from crm import languages
from crm.digests import Busy, Due, Figures, Period
from pbx.services.letters import Letter


def letter(one: Due, found: Figures) -> Letter:
    period, reader = one.period, one.reader
    lines = [_greeting(period), "", *_sums(found)]
    if found.users:
        lines += ["", "Calls of each user:", *map(_busy, found.users)]
    lines += ["", "You get this as you asked for it in your settings; there you can end it."]
    said = [languages.say(line, reader.language) for line in lines]
    subject = languages.say(_subject(period), reader.language)
    return Letter(reader.email, subject, "\n".join(said) + "\n", f"{reader.user_id}.{period.every}.{period.from_us}")


def _subject(period: Period) -> str:
    if period.every == "day":
        return f"Calls and texts of {period.first.isoformat()}"
    return f"Calls and texts from {period.first.isoformat()} to {period.last.isoformat()}"


def _greeting(period: Period) -> str:
    if period.every == "day":
        return f"This was {period.first.isoformat()} in figures."
    return f"This was the week from {period.first.isoformat()} to {period.last.isoformat()} in figures."


def _sums(found: Figures) -> list[str]:
    return [
        f"Calls that came in: {found.inbound}, answered: {found.inbound_answered}.",
        f"Calls that went out: {found.outbound}, answered: {found.outbound_answered}.",
        f"Time in conversation: {_clock(found.talk_ms)}.",
        f"Texts received: {found.texts_in}, sent: {found.texts_out}, failed: {found.texts_failed}.",
        f"Summaries that wait to be saved: {found.open_summaries}.",
    ]


def _busy(user: Busy) -> str:
    return f"- {user.name}: {user.calls} calls, {user.answered} answered, {_clock(user.talk_ms)}"


def _clock(ms: int) -> str:
    minutes = round(ms / 60_000)
    return f"{minutes // 60}:{minutes % 60:02}"
