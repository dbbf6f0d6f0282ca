"""The demo organisation's customers: some thirty people whose numbers the practice carrier answers, so that a call to
or from one of them shows who it is, and a story."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select

from crm.models.people import Record
from crm.models.users import User
from crm.services import deals, notes, people
from crm.unit_of_work import UnitOfWork


class _Story(NamedTuple):
    kind: str
    name: str
    company: str
    title: str
    phones: tuple[tuple[str, str], ...]
    city: str = ""
    note: str = ""
    deal: tuple[str, str, int] | None = None  # name, stage, value in whole units of the currency


_REP1, _REP2 = "rep1@demo.example", "rep2@demo.example"
_STORIES = (
    _Story("contact", "Olivia Park", "Marcom", "Head of purchasing", (("work", "+12065550150"),), "Seattle",
           "Answers at once. Wants delivery before the holidays.", ("120 desk phones", "Offer", 18_400)),
    _Story("contact", "Henry Wright", "Marcom", "Assistant", (("work", "+12065550151"),), "Seattle",
           "His line is always busy in the morning."),
    _Story("lead", "Grace Kim", "Harbor Dental", "Owner", (("mobile", "+12065550152"),), "Portland",
           "Lets it ring. Try again after four."),
    _Story("lead", "Victor Stone", "Stone & Sons", "", (("work", "+12065550153"),), "Tacoma", "Declines calls."),
    _Story("contact", "Elena Rossi", "Lakeside Foods", "Chief executive", (("work", "+12065550154"),), "Denver",
           "Takes a while to answer.", ("Support contract", "Negotiation", 9_600)),
    _Story("company", "Lakeside Foods", "", "", (("main", "+12065550155"),), "Denver",
           "Switchboard with a menu: 1 for purchasing, 2 for accounts."),
    _Story("lead", "Noah Bell", "Bell Travel", "Director", (("mobile", "+12065550156"),), "Austin",
           "Mailbox. Leave a time to call back."),
    _Story("lead", "Echo Canyon Lodge", "Echo Canyon Lodge", "", (("work", "+12065550157"),), "Moab",
           "Says everything twice."),
    _Story("lead", "Priya Anand", "Vertex Optics", "Engineer", (("work", "+12065550158"),), "Boston",
           "An announcement plays before she answers."),
    _Story("lead", "Max Gone", "Closed Ltd", "", (("work", "+12065550159"),), "Reno", "Number no longer in use."),
    _Story("contact", "Sam Ito", "Marcom", "Field service", (("mobile", "+12065550130"), ("work", "+12065550160")),
           "Seattle", "On the road; press a key to reach him on his mobile."),
    _Story("contact", "Lucy Hart", "Lakeside Foods", "Accounts", (("mobile", "+12065550131"),), "Denver",
           "Her mobile goes straight to the mailbox."),
    _Story("contact", "田中 太郎", "株式会社山田商事", "部長", (("work", "+81312345678"), ("mobile", "+819012345678")),
           "新宿区", "来月の契約更新について折り返し希望。", ("電話機 50台", "見積", 2_500_000)),
    _Story("contact", "佐藤 花子", "株式会社山田商事", "受付", (("main", "+81312345600"),), "東京都新宿区"),
    _Story("lead", "鈴木 一郎", "鈴木製作所", "社長", (("work", "+81662345678"),), "大阪市", "展示会で名刺交換。"),
    _Story("lead", "高橋 美咲", "高橋設計", "", (("mobile", "+818011112222"),), "横浜市西区"),
    _Story("lead", "渡辺 健一", "渡辺運輸", "所長", (("work", "+81522345678"),), "名古屋市中区"),
)  # fmt: skip
_EXTRA = (
    "Margaret Jones", "Mark Webb", "Simon Martin", "Amelia Ford", "Daniel Cruz", "Zoë Fischer", "Jürgen Vogel",
    "Chloé Martin", "Ruth Adler", "Owen Blake", "Ivy Chen", "Leo Novak", "Nina Petrov",
)  # fmt: skip
"""Those with the numbers that answer with a steady tone, each its own: +1 206 555 0161 and following."""


async def seed_people(work: UnitOfWork) -> int:
    """Add whoever is missing, known by their external ids; gives how many were added."""
    owners = {email: user_id for email, user_id in await work.session.execute(select(User.email, User.id))}
    there = set(await work.session.scalars(select(Record.external_id).where(Record.external_id.like("demo-%"))))
    added = 0
    for number, story in enumerate((*_STORIES, *_extra()), 1):
        external_id = f"demo-{number}"
        if external_id not in there:
            await _add(work, story, external_id, owners.get(_REP1 if number % 2 else _REP2))
            added += 1
    return added


def _extra() -> list[_Story]:
    return [
        _Story("lead", name, "Summit Partners", "", (("work", f"+1206555{161 + number:04d}"),), "Spokane")
        for number, name in enumerate(_EXTRA)
    ]


async def _add(work: UnitOfWork, story: _Story, external_id: str, owner_id: str | None) -> None:
    values: dict[str, Any] = {
        "name": story.name,
        "title": story.title,
        "external_id": external_id,
        "owner_id": owner_id,
        "source": "demo",
        "phones": [{"label": label, "number": number} for label, number in story.phones],
    }
    if story.company and story.kind != "company":
        values["company"] = story.company
    if story.city:
        values["addresses"] = [{"label": "work", "city": story.city}]
    record = await people.add(work, story.kind, values)
    if story.note:
        await notes.add(work, record.id, story.note)
    if story.deal:
        name, stage, value = story.deal
        currency = "JPY" if value > 1_000_000 else "USD"
        await deals.add(work, _deal(name, stage, value, currency) | {"record_id": record.id, "owner_id": owner_id})


def _deal(name: str, stage: str, value: int, currency: str) -> dict[str, Any]:
    return {"name": name, "stage": stage, "value_micros": value * 1_000_000, "currency": currency}
