import datetime as dt
from decimal import Decimal

import pytest

from segkit.rules.model.base import (
    Duration,
    Unfit,
    parse_comparable,
    parse_day,
    parse_duration,
    parse_percent,
    parse_scalar,
    shown,
)

DAY = dt.date(2024, 3, 31)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("1 day", dt.date(2024, 3, 30), dt.date(2024, 4, 1)),
        ("2 weeks", dt.date(2024, 3, 17), dt.date(2024, 4, 14)),
        ("1 month", dt.date(2024, 2, 29), dt.date(2024, 4, 30)),
        ("1 quarter", dt.date(2023, 12, 31), dt.date(2024, 6, 30)),
        ("13 months", dt.date(2023, 2, 28), dt.date(2025, 4, 30)),
        ("1 year", dt.date(2023, 3, 31), dt.date(2025, 3, 31)),
        ("0 days", DAY, DAY),
    ],
)
def test_durations(text: str, before: dt.date, after: dt.date) -> None:
    duration = parse_duration(text)
    assert (duration.before(DAY), duration.after(DAY)) == (before, after)
    assert str(duration) == text


@pytest.mark.parametrize("bad", ["90", "days", "-1 days", "1.5 days", "1 fortnight", "1 day ago", 90, None])
def test_no_durations(bad: object) -> None:
    with pytest.raises(Unfit, match="is not a duration"):
        parse_duration(bad)


def test_days() -> None:
    assert parse_day(dt.datetime(2024, 3, 31, 23, 59, tzinfo=dt.UTC)) == DAY
    assert parse_day("2024-03-31") == DAY
    for bad in ("2024-02-30", "20240331", "31/03/2024", 2024):
        with pytest.raises(Unfit, match="is not a date"):
            parse_day(bad)


def test_scalars() -> None:
    assert parse_scalar(0.1) == Decimal("0.1")
    assert parse_scalar(True) is True
    assert parse_comparable("2024-03-31") == DAY
    assert parse_percent(2.5) == Decimal("2.5")
    bad: object
    for bad in (Decimal("NaN"), float("inf"), [1], {}):
        with pytest.raises(Unfit):
            parse_scalar(bad)
    for bad in ("18", True, [1]):
        with pytest.raises(Unfit, match="is not a number, or a date"):
            parse_comparable(bad)


def test_values_as_messages_show_them() -> None:
    assert shown([1, "a", True, dt.date(2024, 1, 1)]) == '[1, "a", true, 2024-01-01]'
    assert shown(tuple(range(100))) == "a list"
    assert shown({"a": 1}) == "a table"
    assert shown(Duration(1, "day")) == "1 day"
