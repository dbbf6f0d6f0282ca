"""What is said on the command line, in the language of whoever reads it (A7): that of the locale, as other commands do
it. Help and the names of what is printed are English: scripts and manuals hold to them."""

from __future__ import annotations

import os

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set holds (POSIX.1-2024, 8.2)."""


def language() -> str:
    from crm import languages

    locale = next(filter(None, map(os.environ.get, _LOCALE)), "")
    return languages.wished(locale) or languages.WRITTEN_IN


def said(sentence: str) -> str:
    from crm import languages

    return languages.say(sentence, language())
