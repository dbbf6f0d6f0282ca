"""Imports over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm.services.importing import Preview
from pbx.services.imports import Import
from pbx.web.wire.base import Answer, Body, Query, view

ImportView = view(Import)
_Preview = view(Preview, "ImportPreview")


class UploadQuery(Query):
    name: str = Field("", max_length=200, description="Of the file, for people.")


class Columns(Body):
    kind: Literal["lead", "contact", "company", "deal"]
    mapping: dict[str, str] = Field(
        default_factory=dict,
        max_length=1_000,
        description="Fields by names of columns; an empty one leaves a column out. Others are known by their names.",
        examples=[{"Customer": "name", "Remarks": ""}],
    )


class StartImport(Columns):
    owner_id: str | None = Field(None, max_length=64, description="Of new records whose line names nobody.")
    list_id: str | None = Field(None, max_length=64, description="A call list that gets what the lines become.")


class PreviewView(Answer):
    """`fields` are those that a column can be."""

    preview: _Preview  # type: ignore[valid-type]
    fields: list[str]
