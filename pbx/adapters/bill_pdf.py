"""A month's bill on paper: made by a process of its own, as laying out pages takes the time of many calls.

Japanese is set in a font of the system, of which the letters that are used are embedded. Where there is none, it is set
in the font that PDF readers bring along (Adobe's character collection Japan1), which is named only: most show it, some
printers and scanners do not. Everything else is in Helvetica, which all of them have.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from crm.billing import Bill, BillLine, Charge
from crm.errors import Refused, unavailable
from crm.phone_numbers import display
from crm.services import bills, settings
from crm.unit_of_work import Store
from pbx.adapters.bill_words import WORDS
from pbx.adapters.children import with_parent
from pbx.adapters.paper_fonts import choose

NICE = 5
LINES = 2_000
"""Charges that are listed one by one; of more the CSV tells."""
WITHIN_S = 60.0


class BillPrinter:
    def __init__(self, database_url: str, font: str = "") -> None:
        """``font``: the path that was set for Japanese."""
        self._database_url, self._font = database_url, font

    async def __call__(self, month: str, language: str) -> bytes:
        """Raises Refused for what is no month, and where it cannot be made now."""
        process = await asyncio.create_subprocess_exec(
            *with_parent([sys.executable, "-m", "pbx.adapters.bill_pdf"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        job = {"database_url": self._database_url, "month": month, "language": language, "font": self._font}
        try:
            made, _ = await asyncio.wait_for(process.communicate(orjson.dumps(job)), WITHIN_S)
        except TimeoutError:
            raise unavailable("the bill takes too long to be made") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
        if made.startswith(b"%PDF"):
            return made
        if not made:
            raise unavailable("the bill could not be made")
        raise Refused(*orjson.loads(made))


def work() -> None:
    """The process itself: the job comes in as JSON, the PDF goes out."""
    os.nice(NICE)
    job = orjson.loads(sys.stdin.buffer.read())
    try:
        sys.stdout.buffer.write(asyncio.run(_make(job)))
    except Refused as refused:
        sys.stdout.buffer.write(orjson.dumps([refused.code, refused.message, refused.field, refused.status]))


async def _make(job: dict[str, Any]) -> bytes:
    store = Store(job["database_url"])
    try:
        async with store.read() as session:
            bill = await bills.bill(session, job["month"])
            values = await settings.values(session)
            names = await bills.names_of_users(session)
            lines: list[Charge] = []
            async for some in bills.charges(session, bill.since_us, bill.until_us):
                lines += some
                if len(lines) > LINES:
                    break
    finally:
        await store.close()
    organisation, home = str(values["organisation.name"]), str(values["default_country"])
    look = Look(job["language"], choose(job["font"]).file)
    return page(bill, lines[:LINES], names, organisation, look, home)


def page(
    bill: Bill, charges: Sequence[Charge], names: dict[str, str], organisation: str, look: Look, home: str
) -> bytes:
    """The whole document."""
    from reportlab.lib.pagesizes import A4, LETTER
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    words = WORDS[look.language]
    out = io.BytesIO()
    size = LETTER if home in ("US", "CA", "MX") else A4
    title = words["title"].format(month=_month(bill.month, look.language))
    document = SimpleDocTemplate(out, pagesize=size, title=title, author=organisation, topMargin=18 * mm)
    story: list[Any] = [Paragraph(_safe(organisation), look.small), Paragraph(_safe(title), look.title)]
    story += [Paragraph(_safe(words["zone"].format(zone=bill.time_zone)), look.small), Spacer(1, 6 * mm)]
    story += look.table(_balance(bill, words), (100 * mm, 50 * mm), header=False)
    for heading, lines, naming in (
        ("users", bill.users, lambda line: names.get(line.name, line.name) or words["nobody"]),
        ("destinations", bill.destinations, lambda line: line.name or words["unknown"]),
        ("directions", bill.directions, lambda line: words[line.name]),
    ):
        story += [Paragraph(words[heading], look.heading)]
        story += look.table(_sums(lines, naming, words, bill.currency), (75 * mm, 25 * mm, 35 * mm, 35 * mm))
    if charges:
        story += [Paragraph(words["lines"], look.heading)]
        story += look.table(_lines(bill, charges, names, words, home), _widths(mm))
    if bill.charges > len(charges):
        story += [Paragraph(words["more"].format(count=f"{bill.charges - len(charges):,}"), look.small)]
    document.build(story, onFirstPage=look.foot, onLaterPages=look.foot)
    return out.getvalue()


def _widths(mm: float) -> tuple[float, ...]:
    return tuple(width * mm for width in (30, 32, 38, 35, 17, 22))


def _balance(bill: Bill, words: dict[str, str]) -> list[list[str]]:
    rows = (
        ("opening", bill.opening_micros),
        ("paid_in", bill.paid_in_micros),
        ("adjusted", bill.adjusted_micros),
        ("calls", -bill.calls_micros),
        ("texts", -bill.texts_micros),
        ("closing", bill.closing_micros),
    )
    return [[words[name], money(amount, bill.currency)] for name, amount in rows]


def _sums(lines: Iterable[BillLine], naming: Any, words: dict[str, str], currency: str) -> list[list[str]]:
    rows = [[words["name"], words["count"], words["time"], words["amount"]]]
    for line in lines:
        units = minutes(line.units) if line.kind == "call" else words["segments"].format(count=line.units)
        rows.append([naming(line), f"{line.count:,}", units, money(line.amount_micros, currency)])
    return rows


def _lines(
    bill: Bill, charges: Sequence[Charge], names: dict[str, str], words: dict[str, str], home: str
) -> list[list[str]]:
    zone = ZoneInfo(bill.time_zone)
    rows = [[words[name] for name in ("ended", "user", "number", "destination", "time", "amount")]]
    for charge in charges:
        at = datetime.fromtimestamp(charge.ended_us / 1e6, zone)
        units = minutes(charge.units) if charge.kind == "call" else words["segments"].format(count=charge.units)
        who = names.get(charge.user_id or "", charge.user_id or "")
        number = display(charge.number, home) if charge.number else words[charge.direction]
        amount = money(charge.amount_micros, charge.currency)
        rows.append([f"{at:%Y-%m-%d %H:%M}", who, number, charge.rate_name, units, amount])
    return rows


def money(micros: int, currency: str) -> str:
    """Exact: at least two places, more where there is more to say."""
    text = bills.decimal(abs(micros))
    whole, _, part = text.partition(".")
    part = part.ljust(2, "0") if part or currency not in ("JPY", "KRW") else ""
    return f"{'-' if micros < 0 else ''}{int(whole):,}{'.' + part if part else ''} {currency}"


def minutes(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _month(month: str, language: str) -> str:
    at = datetime.strptime(month, "%Y-%m")
    return f"{at.year}年{at.month}月" if language == "ja" else f"{at:%B %Y}"


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Look:
    """Fonts and tables of one language."""

    def __init__(self, language: str, font: Path | None = None) -> None:
        """``font``: the file that Japanese is embedded from."""
        from reportlab.lib.styles import ParagraphStyle

        self.language = language
        self._ja = _named() if font is None else _embedded(font)
        self._plain, self._bold = (self._ja, self._ja) if language == "ja" else ("Helvetica", "Helvetica-Bold")
        self.title = ParagraphStyle("title", fontName=self._bold, fontSize=18, leading=24)
        self.heading = ParagraphStyle("heading", fontName=self._bold, fontSize=11, leading=16, spaceBefore=14)
        self.small = ParagraphStyle("small", fontName=self._ja, fontSize=8.5, leading=12, textColor="#555555")
        self._cell = ParagraphStyle("cell", fontName=self._plain, fontSize=8, leading=10)
        self._foreign = ParagraphStyle("foreign", fontName=self._ja, fontSize=8, leading=10, wordWrap="CJK")
        self._right = ParagraphStyle("right", parent=self._cell, alignment=2)

    def table(self, rows: list[list[str]], widths: Sequence[float], *, header: bool = True) -> list[Any]:
        """Amounts, and what is counted, stand at the right."""
        from reportlab.platypus import LongTable, TableStyle

        style = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, "#dddddd"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        if header:
            style.append(("LINEBELOW", (0, 0), (-1, 0), 0.75, "#333333"))
        cells = [[self._set(text, at, len(row)) for at, text in enumerate(row)] for row in rows]
        return [
            LongTable(cells, colWidths=list(widths), repeatRows=int(header), style=TableStyle(style), hAlign="LEFT")
        ]

    def _set(self, text: str, at: int, count: int) -> Any:
        from reportlab.platypus import Paragraph

        if not text.isascii():
            return Paragraph(_safe(text), self._foreign)
        number = at >= (count - 2 if count == 6 else 1)
        return Paragraph(_safe(text), self._right if number else self._cell)

    def foot(self, canvas: Any, document: Any) -> None:
        canvas.setFont(self._plain, 7.5)
        canvas.drawRightString(document.pagesize[0] - document.rightMargin, 24, str(canvas.getPageNumber()))


def _named() -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    return "HeiseiKakuGo-W5"


def _embedded(font: Path) -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(font.stem, str(font)))
    return font.stem


if __name__ == "__main__":
    work()
