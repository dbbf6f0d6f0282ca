"""A font with Japanese for what is printed: the one that is set, or one that the system has.

Its letters that a document uses are put into it, so that it looks the same on every screen and printer. Only TrueType
outlines can be (Noto Sans CJK has others, of a kind that the PDF library does not read).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = "fonts-ipafont-gothic"
_SHARED = Path("/usr/share/fonts")
KNOWN = (
    _SHARED / "opentype/ipaexfont-gothic/ipaexg.ttf",
    _SHARED / "opentype/ipafont-gothic/ipagp.ttf",
    _SHARED / "opentype/ipafont-gothic/ipag.ttf",
    _SHARED / "truetype/vlgothic/VL-PGothic-Regular.ttf",
    _SHARED / "truetype/fonts-japanese-gothic.ttf",
    _SHARED / "truetype/droid/DroidSansFallbackFull.ttf",
)
"""Where Debian and Ubuntu put them; Fedora's and others' by the setting."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``file`` is None where no font is embedded. ``problem``: what is wrong with the one that was set."""

    file: Path | None
    problem: str = ""


def choose(wanted: str) -> Choice:
    """``wanted`` is the path that was set, or empty."""
    if wanted:
        problem = unusable(Path(wanted))
        if not problem:
            return Choice(Path(wanted))
        return Choice(_first(), problem)
    return Choice(_first())


def _first() -> Path | None:
    return next((path for path in KNOWN if path.is_file() and not unusable(path)), None)


def unusable(path: Path) -> str:
    """Why this font cannot be used; empty where it can."""
    from reportlab.pdfbase.ttfonts import TTFError, TTFontFile

    try:
        letters = TTFontFile(str(path), charInfo=1).charToGlyph
    except (TTFError, OSError, ValueError, LookupError):
        return "it is not there, or no TrueType font (.ttf)"
    return "" if all(ord(letter) in letters for letter in "Aあア漢") else "it has no Japanese letters"
