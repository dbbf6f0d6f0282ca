"""What can go wrong on the way to an Asterisk, each told in one sentence with its remedy."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1, never falling) and a sentence for the person who waits."""


class BuildError(Exception):
    """The Asterisk cannot be built or used; the text is a sentence with the remedy."""
