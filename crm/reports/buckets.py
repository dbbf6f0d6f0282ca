"""Which row of a report a sum belongs to, and the rows that are there in any case, so that charts have no holes."""

from __future__ import annotations

from collections.abc import Sequence

from crm.reports.calendar import Period, day_number, day_of, month_began, month_number

BY_TIME = ("day", "week", "month", "hour", "weekday", "heat")
BY_NAME = ("user", "team", "outcome", "direction")
HOURS_A_WEEK = 168
FROM_MONDAY = 72
"""1970 began on a Thursday: so many hours after the Monday with which weeks begin here."""
DIRECTIONS = {"in": "inbound", "out": "outbound", "internal": "internal"}
SHORT = {long: short for short, long in DIRECTIONS.items()}


def of_day(by: str, number: int) -> str:
    """The row of a day, which is given by its number."""
    day = day_of(number)
    if by == "day":
        return day.isoformat()
    if by == "month":
        return f"{day.year}-{day.month:02}"
    if by == "weekday":
        return str(day.isoweekday())
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def of_hour(number: int) -> str:
    """The cell of an hour of the week."""
    return f"{number // 24 + 1}-{number % 24}"


def keys(by: str, period: Period) -> Sequence[str]:
    """Every row of a report by time, in order; none where rows have names."""
    if by in ("day", "week"):
        return list(dict.fromkeys(of_day(by, day_number(day)) for day in period.each()))
    if by == "month":
        months = range(month_number(period.first), month_number(period.last) + 1)
        return [of_day(by, day_number(month_began(number))) for number in months]
    if by == "hour":
        return [str(hour) for hour in range(24)]
    if by == "weekday":
        return [str(weekday) for weekday in range(1, 8)]
    if by == "heat":
        return [f"{weekday}-{hour}" for weekday in range(1, 8) for hour in range(24)]
    return []


def label(by: str, key: str, names: dict[str, str]) -> str:
    """As people read it in any language; empty for what is nobody's or nothing, which the reader names."""
    if by == "hour":
        return f"{int(key):02}:00"
    return names.get(key, key)
