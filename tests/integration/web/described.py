"""What the event stream sends, held against the API's description, from which the console has its types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from pydantic import ValidationError

from pbx.services.hub import Hub
from pbx.web.wire.events import Frame

KINDS: frozenset[str] = frozenset(Frame.model_json_schema()["discriminator"]["mapping"])


def difference(told: dict[str, Any]) -> str:
    """What a message has otherwise than it is described; empty: nothing."""
    try:
        known = Frame.model_validate(told, strict=True).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        return f"{told.get('type')}: {error}"
    return "" if known == told else f"{told['type']}: the description does not know all of {told}"


class DescribedHub(Hub):
    """Looks at every event, whether somebody listens or not."""

    def __init__(self, *parts: Any, **options: Any) -> None:
        super().__init__(*parts, **options)
        self.undescribed: list[str] = []

    def _add(
        self, audience: frozenset[str] | None, make: Callable[[], dict[str, Any]], *, private: bool = False
    ) -> None:
        super()._add(audience, make, private=private)
        told = orjson.loads(orjson.dumps({"n": self.number, **make()}, default=str))
        if found := difference(told):
            self.undescribed.append(found)
