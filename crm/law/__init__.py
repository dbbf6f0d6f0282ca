"""The law as data: rules with their source and date, and what they say of a number at a moment. Pure, in memory.

Not legal advice: every rule can be changed by an admin (:mod:`crm.services.law`), and a change holds at once.
"""

from crm.law.hours import Allowed, NotBefore, Unknown, When
from crm.law.law import STATUTE, Law, Mode
from crm.law.places import Address, Place
from crm.law.rules import KINDS, Rule
from crm.law.words import Word

__all__ = [
    "KINDS",
    "STATUTE",
    "Address",
    "Allowed",
    "Law",
    "Mode",
    "NotBefore",
    "Place",
    "Rule",
    "Unknown",
    "When",
    "Word",
]
