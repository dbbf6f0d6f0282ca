"""Requests made from the API's own description: right ones, nearly right ones, and hostile ones."""

from __future__ import annotations

import random
from typing import Any

from tests.integration.web.injections import INJECTIONS

_ODD: tuple[Any, ...] = (None, True, 0, -1, 2**31, 2**63, 2**70, 1.5, 1e308, "", "x", [], {}, [[]], {"a": {}}, "\0")
_LATIN = "abc xyz ABC 0123456789 +-()"


class Fuzzer:
    """Seeded, so that a failure can be made again. ``known`` are ids that exist, by the name of their parameter."""

    def __init__(self, document: dict[str, Any], seed: int, known: dict[str, list[str]]) -> None:
        self.schemas: dict[str, Any] = document["components"]["schemas"]
        self.random = random.Random(seed)
        self.known = known

    def parameter(self, name: str, schema: dict[str, Any]) -> str:
        if name in self.known and self.random.random() < 0.5:
            return self.random.choice(self.known[name])
        if self.random.random() < 0.4:
            return self.random.choice(INJECTIONS)[:300]
        value = self.value(schema)
        return str(value).lower() if isinstance(value, bool) else str(value)[:1000]

    def value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            return self.value(self.schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        if self.random.random() < 0.07:
            return self.random.choice(_ODD)
        if "anyOf" in schema:
            return self.value(self.random.choice(schema["anyOf"]), depth)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self.value(schema.get("items", {}), depth + 1) for _ in range(self.random.randrange(3))]
            case "string":
                return self._text()
            case "integer":
                return self.random.choice((0, 1, 5, 30, 100, self.random.randrange(-10, 10**6), 2**53))
            case "boolean":
                return self.random.random() < 0.5
            case "null":
                return None
            case _:
                return self.random.choice(_ODD)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        made = {}
        for name, inner in schema.get("properties", {}).items():
            if (name in required and self.random.random() < 0.95) or self.random.random() < 0.4:
                made[name] = self.value(inner, depth + 1)
        if self.random.random() < 0.05:
            made[self._text()] = self._text()
        return made

    def _text(self) -> str:
        if self.known and self.random.random() < 0.15:
            return self.random.choice(self.random.choice(list(self.known.values())))
        if self.random.random() < 0.35:
            return self.random.choice(INJECTIONS)
        return "".join(self.random.choices(_LATIN, k=self.random.randrange(1, 20)))
