"""The files of rules: each with source and date, in both languages; places, words, consent, attempts, campaigns."""

from __future__ import annotations

from datetime import date, timedelta

import phonenumbers
import pytest

from crm.errors import Refused
from crm.law import STATUTE, places
from crm.law.hours import zone
from crm.law.rules import BASES, Rule, check_value, defaults, read_key


@pytest.mark.parametrize("rule", defaults().values(), ids=lambda rule: rule.key)
def test_every_rule_says_where_it_stands_and_since_when_in_both_languages(rule: Rule) -> None:
    assert rule.source and rule.basis in BASES
    assert date(1990, 1, 1) < date.fromisoformat(rule.date) < date(2027, 1, 1)
    assert rule.text("en") and rule.text("ja") and rule.text("en") != rule.text("ja")
    assert read_key(rule.key) == (rule.kind, rule.place)


def test_every_area_code_of_the_numbering_plan_is_in_a_state() -> None:
    missing = []
    for code in range(200, 1000):
        number = phonenumbers.parse(f"+1{code}5550123")
        geographic = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if geographic and phonenumbers.region_code_for_number(number) in ("US", "CA"):
            place = places.of_number(f"+1{code}5550123")
            if not place.region or not place.zones:
                missing.append(code)
    assert missing == []


def test_every_time_zone_that_numbers_may_be_in_is_known() -> None:
    unknown = {name for zones in places.TIMEZONE_DATA.values() for name in zones if zone(name) is None}
    assert unknown <= {"Etc/Unknown"}


@pytest.mark.covers("T7")
def test_stop_help_and_start_are_known_in_each_language_however_they_are_typed() -> None:
    for text, kind, language in (
        ("STOP", "stop", "en"),
        ("  Stop all! ", "stop", "en"),
        ("ＳＴＯＰ。", "stop", "en"),
        ("opt-out", "stop", "en"),
        ("配信停止", "stop", "ja"),
        ("ｽﾄｯﾌﾟ", "stop", "ja"),
        ("再開", "start", "ja"),
        ("ヘルプ", "help", "ja"),
        ("Arrêt", "stop", "fr"),
        ("ARRET", "stop", "fr"),
        ("Hilfe!", "help", "de"),
        ("수신 거부", "stop", "ko"),
        ("unstop", "start", "en"),
    ):
        word = STATUTE.word(text)
        assert word is not None and (word.kind, word.language) == (kind, language), text
    for text in ("please stop by tomorrow", "", "I cannot help you", "stop " * 100, "👍"):
        assert STATUTE.word(text) is None
    assert STATUTE.reply("stop", "ja").startswith("{organisation}")
    assert STATUTE.reply("stop", "xx") == STATUTE.reply("stop", "en")


def test_no_word_means_one_thing_in_one_language_and_the_opposite_in_another() -> None:
    meanings: dict[str, set[str]] = {}
    for rule in STATUTE.of_kind("words"):
        for kind in ("stop", "help", "start"):
            for word in rule.value[kind]:
                meanings.setdefault(word.casefold(), set()).add(kind)
    assert [word for word, kinds in meanings.items() if len(kinds) > 1] == []


@pytest.mark.covers("N5")
def test_of_both_parties_places_the_stricter_law_on_recording_holds() -> None:
    japan, florida, new_york, germany = map(
        places.of_number, ("+81312345678", "+13055550123", "+12125550123", "+4930123456")
    )
    assert (STATUTE.consent(japan).all_parties, STATUTE.consent(japan).play) == (False, "none")
    assert STATUTE.consent(japan, florida).play == "announcement" and STATUTE.consent(florida, japan).all_parties
    assert STATUTE.consent(new_york, japan).play == "none"
    assert STATUTE.consent(new_york, germany).all_parties
    assert STATUTE.consent(places.of_number("+88213000000")).all_parties  # where it is not known: everybody is told


def test_attempts_refusals_and_campaign_classes_are_found() -> None:
    florida, japan, us = map(places.of_number, ("+13055550123", "+81312345678", "+12125550123"))
    assert min(each.calls for each in STATUTE.attempts(florida)) == 3
    assert [each.calls for each in STATUTE.attempts(japan)] == [5]
    assert STATUTE.refusal(japan) is None
    assert STATUTE.refusal(us) == timedelta(days=1830)
    found = STATUTE.campaign("T")
    assert found is not None and (found.value["per_minute"], found.value["per_day"]) == (75, 2000)
    assert STATUTE.campaign("ZZ") is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("hours", {"weekdays": ["8-20"]}),
        ("hours", {"weekdays": ["20:00-08:00"]}),
        ("hours", {"weekdays": ["08:00-24:30"]}),
        ("hours", {"saturday": []}),
        ("hours", {"weekdays": [], "monday": []}),
        ("hours", []),
        ("holidays", {"add": ["2026-02-30"], "remove": []}),
        ("recording", {"consent": "maybe", "play": "none"}),
        ("refusal", {"months": -1}),
        ("words", {"stop": ["stop"]}),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(kind: str, value: object) -> None:
    with pytest.raises(Refused):
        check_value(kind, value)


@pytest.mark.parametrize(
    "key", ["hours", "hours.XX", "hours.US-FLORIDA", "words.english", "nothing.US", "", "hours.us"]
)
def test_a_key_that_names_no_rule_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        read_key(key)
