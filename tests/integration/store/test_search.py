"""Search as one types: what V2 promises, on both databases."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.search import search
from crm.search.text import words
from crm.services import people
from crm.unit_of_work import Store
from tests.support.people import Made
from tests.support.people import people as made_up

PEOPLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lead", {"name": "Margaret Jones"}),
    ("lead", {"name": "Mark Webb"}),
    ("contact", {"name": "Simon Martin"}),
    ("company", {"name": "Marcom"}),
    ("lead", {"name": "Eve Long", "addresses": [{"label": "home", "street": "12 Martin Road", "city": "Leeds"}]}),
    ("lead", {"name": "Omar Quist"}),
    ("lead", {"name": "Nobody Else", "emails": [{"address": "x@nowhere.example"}]}),
    ("lead", {"name": "田中 太郎", "phones": [{"label": "work", "number": "+81 3-1234-5678"}]}),
    ("lead", {"name": "山田花子", "reading": "ヤマダ ハナコ", "company": "東京中央電機株式会社"}),
    ("lead", {"name": "中田 誠", "addresses": [{"label": "work", "street": "西新宿２－８－１", "region": "東京都"}]}),
    ("contact", {"name": "Jürgen O'Brien-Łukasz", "phones": [{"label": "mobile", "number": "+1 415 555 0150"}]}),
)


async def fill(store: Store, wanted: tuple[tuple[str, dict[str, Any]], ...] = PEOPLE) -> None:
    async with store.write() as work:
        for kind, values in wanted:
            await people.add(work, kind, values, country="US")


async def names(store: Store, text: str, **options: Any) -> list[str]:
    return [hit.record.name for hit in await store.look(lambda session: search(session, text, **options))]


@pytest.mark.covers("V2")
async def test_mar_finds_everything_the_contract_names(store: Store) -> None:
    await fill(store)
    found = await names(store, "Mar")
    assert set(found[:4]) == {"Margaret Jones", "Mark Webb", "Simon Martin", "Marcom"}
    assert found[4:] == ["Eve Long", "Omar Quist"]


@pytest.mark.covers("V2")
async def test_what_was_changed_since_stands_where_it_stood(store: Store) -> None:
    """PostgreSQL puts a changed row elsewhere, and gives rows as it finds them."""
    await fill(store)
    async with store.write() as work:
        found = (await search(work.session, "Martin Road"))[0].record
        await people.change(work, found.id, {"title": "Director"}, country="US")
    assert (await names(store, "Mar"))[4:] == ["Eve Long", "Omar Quist"]


@pytest.mark.covers("V2")
@pytest.mark.parametrize(
    "text", ["0312", "+81 3-12", "03-1234", "０３ー１２", "813123", "+81 (0)3 1234", "0081312", "5678"]
)
async def test_a_number_is_found_in_any_notation(store: Store, text: str) -> None:
    await fill(store)
    assert await names(store, text) == ["田中 太郎"]


@pytest.mark.covers("V2")
@pytest.mark.parametrize("text", ["415-555", "(415) 555 0150", "+14155550150", "0114155550150", "555 01", "4155550150"])
async def test_an_american_number_too(store: Store, text: str) -> None:
    await fill(store)
    assert await names(store, text) == ["Jürgen O'Brien-Łukasz"]


@pytest.mark.covers("V2")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("田", ["田中 太郎", "山田花子", "中田 誠"]),
        ("田中", ["田中 太郎"]),
        ("田中太郎", ["田中 太郎"]),
        ("田中　太郎", ["田中 太郎"]),
        ("花子", ["山田花子"]),
        ("山田 花子", ["山田花子"]),
        ("ﾔﾏﾀﾞ", ["山田花子"]),
        ("やまだ", []),
        ("東京中央", ["山田花子"]),
        ("東京", ["山田花子", "中田 誠"]),
        ("西新宿2-8", ["中田 誠"]),
        ("電機", ["山田花子"]),
    ],
)
async def test_japanese_needs_no_spaces(store: Store, text: str, expected: list[str]) -> None:
    await fill(store)
    found = await names(store, text)
    assert sorted(found) == sorted(expected)
    assert found[:1] == expected[:1]


@pytest.mark.covers("V2")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jurgen", "Jürgen O'Brien-Łukasz"),
        ("ＪÜＲＧＥＮ", "Jürgen O'Brien-Łukasz"),
        ("obrien", "Jürgen O'Brien-Łukasz"),
        ("o’brien jür", "Jürgen O'Brien-Łukasz"),
        ("road mart", "Eve Long"),
        ("eve leeds", "Eve Long"),
        ("garet", "Margaret Jones"),
        ("nowhere", "Nobody Else"),
        ("  MARK ", "Mark Webb"),
        ("mark  w", "Mark Webb"),
    ],
)
async def test_words_in_any_order_case_width_and_accent(store: Store, text: str, expected: str) -> None:
    await fill(store)
    assert (await names(store, text))[:1] == [expected]


@pytest.mark.covers("V2")
@pytest.mark.parametrize("text", ["160-0023", "1600023", "160-00", "2-8-1", "〒160-0023"])
async def test_postcodes_and_house_numbers_are_found_too(store: Store, text: str) -> None:
    address = {"street": "西新宿2-8-1", "postcode": "160-0023"}
    await fill(store, (*PEOPLE, ("lead", {"name": "Here", "addresses": [address]})))
    assert "Here" in await names(store, text)


async def test_every_term_must_be_there(store: Store) -> None:
    await fill(store)
    assert await names(store, "mark leeds") == []
    assert await names(store, "mark zzz") == []


@pytest.mark.covers("V2")
async def test_the_very_number_goes_before_names_and_names_before_the_rest(store: Store) -> None:
    await fill(
        store,
        (
            ("lead", {"name": "Other", "company": "4155550150 Ltd"}),
            ("lead", {"name": "Longer", "phones": [{"number": "+41 55 550 15 01"}]}),
            ("lead", {"name": "Exact", "phones": [{"number": "+14155550150"}]}),
            ("company", {"name": "4155550150 Taxi"}),
        ),
    )
    assert (await names(store, "415 555 0150"))[:2] == ["Exact", "4155550150 Taxi"]


@pytest.mark.covers("V2")
async def test_whole_words_of_a_name_go_before_longer_ones(store: Store) -> None:
    wanted = tuple(("lead", {"name": f"Markus{'abcdefghijklmnopqrstuvwxyz'[n]} Smithson"}) for n in range(25))
    await fill(store, (*wanted, ("lead", {"name": "Mark Smith"})))
    assert (await names(store, "mark"))[0] == "Mark Smith"
    assert (await names(store, "mark smith"))[0] == "Mark Smith"
    assert len(await names(store, "mark")) == 20


async def test_a_look_finds_what_a_session_finds_and_sees_what_was_written_since(store: Store) -> None:
    await fill(store)
    async with store.read() as session:
        assert await search(session, "mar") == await store.look(lambda looking: search(looking, "mar"))
    await fill(store, (("lead", {"name": "Zoe Late"}),))
    assert await names(store, "zoe") == ["Zoe Late"]


async def test_looks_side_by_side_do_not_mix(store: Store) -> None:
    await fill(store)
    texts = ["mar", "0312", "田中", "nowhere"] * 5
    alone = [await names(store, text) for text in texts]
    assert await asyncio.gather(*(names(store, text) for text in texts)) == alone


@pytest.mark.covers("V3")
async def test_a_person_with_several_numbers_is_one_hit_with_all_of_them(store: Store) -> None:
    numbers = [("mobile", "+819012345678"), ("work", "+81312345678"), ("home", "+81312345679")]
    phones = [{"label": label, "number": number} for label, number in numbers]
    await fill(store, (("contact", {"name": "佐藤 葵", "phones": phones}),))
    for text in ("佐藤", "0312"):
        async with store.read() as session:
            (hit,) = await search(session, text)
        assert [(phone.label, phone.e164) for phone in hit.record.phones] == numbers
    assert (hit.matched, hit.number) == ("number", "+81312345678")


async def test_kinds_can_be_asked_for(store: Store) -> None:
    await fill(store)
    assert await names(store, "mar", kinds=["company"]) == ["Marcom"]
    assert await names(store, "martin", kinds=["contact"]) == ["Simon Martin"]
    assert await names(store, "0312", kinds=["contact"]) == []


@pytest.mark.parametrize(
    "text", ["", "   ", "%", "_", "'", '"', "*", "(", "+", "-", "\x00", "\ud800", "🎉", "AND", "name:"]
)
async def test_a_text_that_says_nothing_finds_nothing_and_breaks_nothing(store: Store, text: str) -> None:
    await fill(store)
    assert await names(store, text) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
async def test_any_text_gets_an_answer(filled: Store, text: str) -> None:
    async with filled.read() as session:
        assert len(await search(session, text)) <= 20


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_every_beginning_of_every_word_finds_its_record(filled: Store, data: st.DataObject) -> None:
    """The index against a plain look at the record itself, by the names and places of people who could exist."""
    person = data.draw(st.sampled_from(list(made_up(60, seed=3))))
    text = data.draw(st.sampled_from((person.name, person.company, person.city, person.street)))
    parts = text.split()
    if not parts:
        return
    chosen = data.draw(st.sampled_from(parts))
    start = chosen[: data.draw(st.integers(1, len(chosen)))]
    async with filled.read() as session:
        hits = await search(session, start, limit=60)
    if any(character.isalnum() for character in start):
        assert person.name in {hit.record.name for hit in hits}


@pytest.fixture
async def filled(store: Store) -> Store:
    wanted = tuple(
        (
            each.kind,
            {
                "name": each.name,
                **({} if each.kind == "company" else {"company": each.company}),
                "phones": [{"label": label, "number": number} for label, number in each.phones],
                "addresses": [{"label": "work", "street": each.street, "city": each.city, "region": each.region}],
            },
        )
        for each in made_up(60, seed=3)
    )
    await fill(store, wanted)
    return store


@pytest.mark.covers("V2")
async def test_two_terms_find_exactly_those_who_have_both(filled: Store) -> None:
    """Against a plain look at every word: nobody too many, nobody missing, for many pairs of terms."""
    crowd = list(made_up(60, seed=3))
    random = Random(4)
    async with filled.read() as session:
        for _ in range(150):
            terms = [_part_of(random, random.choice(crowd)) for _ in range(2)]
            hits = await search(session, " ".join(terms), limit=200)
            wanted = {each.name for each in crowd if all(_has(each, term) for term in terms)}
            found = {hit.record.name for hit in hits}  # the companies of contacts were made along with them
            assert found & {each.name for each in crowd} == wanted, terms


def _part_of(random: Random, person: Made) -> str:
    word = random.choice([word for word in words(f"{person.name} {person.city} {person.street}") if not word.isdigit()])
    start = random.randrange(len(word)) if random.random() < 0.3 and len(word) > 5 else 0
    length = random.randint(3 if start else 1, 6)
    return word[start : start + length]


def _has(person: Made, term: str) -> bool:
    texts = [person.name, person.street, person.city, person.region]
    texts += [] if person.kind == "company" else [person.company]
    found = [word for text in texts for word in words(text)]
    whole = "".join(words(person.name)) if any(c > "\u3040" for c in person.name) else ""
    anywhere = len(term) >= 3 or any(c > "\u3040" for c in term)
    return any(word.startswith(term) or (anywhere and term in word) for word in [*found, whole])


async def test_what_is_rolled_back_is_not_found(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.write() as work:
            await people.add(work, "lead", {"name": "Ghost"})
            raise RuntimeError
    assert await names(store, "ghost") == []
