"""Every sentence that the engine may show somebody stands in every catalogue of `crm/languages` (A7)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm import languages
from crm.errors import not_found
from crm.settings_registry import LANGUAGES, REGISTRY
from tests.support.house import ROOT

SPEAKS = (
    "crm/**/*.py",
    "pbx/core/**/*.py",
    "pbx/services/**/*.py",
    "pbx/web/**/*.py",
    "pbx/supervisor/checks.py",
    "pbx/supervisor/doctor.py",
    "pbx/adapters/*sound*.py",
    "pbx/adapters/sms/*.py",
    "pbx/adapters/import_worker.py",
    "pbx/adapters/asterisk/instance.py",
)
SAYS_OTHER_THINGS = (
    "crm/migrations/",  # said where it is started, on the command line
    "crm/notices.py",  # holds its texts in every language itself
    "pbx/core/messaging/keywords.py",  # answers in the language of whoever wrote
    "crm/services/demo",  # what the people of the demo are like
    "pbx/services/metrics.py",
    "pbx/web/openapi.py",
    "pbx/web/wire/",
)
NOT_FOR_PEOPLE = {
    *("Field", "Counter", "Histogram", "Gauge", "GaugeMetricFamily"),  # what a field or a figure means
    *("Declared", "_text", "_choice", "_boolean", "_integer", "_list"),  # what a setting does: the console says it
    *("RuntimeError", "ValueError", "TypeError", "AssertionError", "UndeclaredRoute"),
    *("debug", "info", "warning", "error", "exception"),
}
IN_TWO_PARTS = {"checks.py", "doctor.py", "instance.py"}
"""The doctor shows what it found and the remedy apart: they are sentences of their own."""
OTHERS = [language for language in LANGUAGES if language != languages.WRITTEN_IN]
_NUMBERED = re.compile(r"\{\w*\}")


def spoken() -> Iterator[tuple[str, str]]:
    """Each place in the code and the sentence there, with {} for what it holds."""
    for path in sorted({path for pattern in SPEAKS for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(SAYS_OTHER_THINGS):
            continue
        for line, text in _sentences(ast.parse(path.read_text())):
            for part in _parts(path, text):
                yield f"{name}:{line}", part


def _parts(path: Path, text: str) -> list[str]:
    found, colon, remedy = text.partition(": ")
    if path.name not in IN_TWO_PARTS or not colon:
        return [text]
    return [part for part in (f"{found}.", remedy[:1].upper() + remedy[1:]) if part != "{}."]


def _sentences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Call) and _called(node.func) in NOT_FOR_PEOPLE:
            continue
        text = _text(node)
        if text is None:
            yield from _sentences(node)
        elif isinstance(node, ast.expr) and re.fullmatch(r"[“{/A-Z][^\n]* [^\n]*[.!]", text):
            yield node.lineno, text


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def spoken_example(sentence: str) -> str:
    """As somebody might read it: each thing that it holds is written as a number."""
    return _NUMBERED.sub("7", sentence)


@pytest.mark.covers("A7")
@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_of_the_engine_lacks_its_words_in_another_language(language: str) -> None:
    missing = {text: place for place, text in spoken() if not languages.knows(spoken_example(text), language)}
    lines = [f"{place}\n    {_entry(text)}" for text, place in missing.items()]
    assert not missing, f"Add these to crm/languages/{language}.toml:\n" + "\n".join(lines)


def _entry(text: str) -> str:
    count = iter(range(1, 100))
    return '"' + _NUMBERED.sub(lambda _: f"{{{next(count)}}}", text).replace('"', '\\"') + '" = ""'


@pytest.mark.covers("A7")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_its_name_in_the_console_and_its_meaning_in_other_languages(language: str) -> None:
    words = (ROOT / "console/src/messages" / language / "orgsettings.ts").read_text()
    often = 1 if language == languages.WRITTEN_IN else 2  # the engine itself says the meaning in English
    missing = [key for key in REGISTRY if len(re.findall(rf"^ +'?{re.escape(key)}'?:", words, re.MULTILINE)) < often]
    assert not missing


def test_what_a_sentence_holds_stands_in_its_translation() -> None:
    refused = not_found("user", "mio@demo.example")
    assert languages.say(refused.message, "ja").startswith("ユーザー「mio@demo.example」")


def test_somebodys_own_words_are_not_translated() -> None:
    said = languages.say(not_found("group", "user").message, "ja")
    assert said.startswith("グループ「user」")


def test_a_sentence_that_no_catalogue_has_stays_as_it_is() -> None:
    assert languages.say("Nobody ever said this.", "ja") == "Nobody ever said this."
    assert languages.say("Sign in.", "xx") == "Sign in."


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ja,en;q=0.8", "ja"), ("de-DE, ja;q=0.9, en;q=0.8", "ja"), ("en-US", "en"), ("de", None), ("", None)],
)
def test_the_first_language_that_there_is_is_spoken(accepted: str, language: str | None) -> None:
    assert languages.wished(accepted) == language
