"""What keeps Switchhook from running here."""

from __future__ import annotations


class CannotStart(Exception):
    """The text is a sentence with the remedy."""
