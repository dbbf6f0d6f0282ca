"""Saved filters over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm.services.saved_filters import SavedFilter
from pbx.web.wire.base import Body, Query, view

SavedFilterView = view(SavedFilter)
Page = Literal["calls", "people", "deals", "texts"]


class SavedFilterQuery(Query):
    page: Page | None = Field(None, description="Of one list; without it of all.")


class SavedFilterChange(Body):
    name: str = ""
    query: str = Field("", description="As in the address of the page, without the question mark.")
    shared: bool = Field(False, description="Everybody sees it. What it finds depends on the rights of who opens it.")


class NewSavedFilter(SavedFilterChange):
    page: Page
    name: str
    query: str
