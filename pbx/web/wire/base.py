"""The bases of all models, and models made of the store's records, without their secrets.

Each is built when it is first used (``defer_build``): an engine that starts again must not wait for all of them.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from pbx.services.displays import WRITTEN

Item = TypeVar("Item")


class Body(BaseModel):
    """What a client sends: exactly the declared fields, of exactly their types."""

    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=100_000, defer_build=True)

    def given(self) -> dict[str, Any]:
        """The fields that were sent; what was left out stays as it is."""
        return self.model_dump(exclude_unset=True)


class Query(BaseModel):
    """What stands behind the question mark: texts, read as their types."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000, defer_build=True)


class PageQuery(Query):
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class Answer(BaseModel):
    """What we send. Clients leave aside fields that they do not know."""

    model_config = ConfigDict(defer_build=True)


class Listed(Answer, Generic[Item]):
    items: list[Item]


class Paged(Answer, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = Field(description="None on the last page.")


_NUMBERS = (str, str | None)


@cache
def view(record: Any, name: str = "") -> type[BaseModel]:
    """The model of a record as :func:`crm.records.as_dict` gives it, with its numbers as they are written: for the
    API's description, not for checking."""
    hints = get_type_hints(record)
    shown = {each.name: hints[each.name] for each in fields(record) if not each.metadata.get("secret")}
    made: dict[str, Any] = {each: (_viewed(kind), ...) for each, kind in shown.items()}
    made |= {WRITTEN[each]: (kind, ...) for each, kind in shown.items() if each in WRITTEN and kind in _NUMBERS}
    return create_model(name or record.__name__, __base__=Answer, __doc__=_first_line(record), **made)


def _viewed(kind: Any) -> Any:
    """Records inside records are shown without their secrets as well."""
    if isinstance(kind, type) and is_dataclass(kind):
        return view(kind)
    arguments = getattr(kind, "__args__", None)
    if not arguments:
        return kind
    origin = getattr(kind, "__origin__", None)
    if origin is tuple and arguments[-1] is ...:
        return list[_viewed(arguments[0])]  # type: ignore[misc]
    seen = tuple(_viewed(each) for each in arguments)
    if origin is None:  # X | Y
        union = seen[0]
        for each in seen[1:]:
            union = union | each
        return union
    return origin[seen]


def _first_line(record: type[Any]) -> str:
    """What the record's own docstring says, unless it speaks of the code's matters."""
    text = (record.__doc__ or "").strip()
    return "" if text.startswith(f"{record.__name__}(") or "``" in text else text.split("\n\n")[0]
