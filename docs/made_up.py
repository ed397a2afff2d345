"""The templates of `segkit init`: the rule files of `configs/`, and small data that is made up for them.

`python -m docs.generate` writes them into the package. The numbers are drawn from a seed, so the files are the same
each time; no row is anybody's.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "src/segkit/operations/starting/templates"
AS_OF = dt.date(2024, 6, 30)
FIRST_NAMES = (
    "Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gil", "Hana", "Ivo", "June", "Kai", "Lea", "Milo", "Nora", "Otto",
    "Pia", "Quinn", "Rosa", "Sam", "Tara", "Uma", "Vito", "Wim", "Yara", "Zoe",
)  # fmt: skip
CATEGORIES = (("building", 40), ("tools", 25), ("garden", 12), ("decoration", 18))
"""Category -> what a line of it costs, about."""

Rows = Iterable[Sequence[Any]]


class Draw:
    """Numbers from a seed; `random` of `Random` gives the same ones in every Python."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, number: int) -> int:
        """A whole number from 0 to `number` - 1."""
        return int(self._random.random() * number)

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.below(100) < percent

    def one_of(self, values: Sequence[Any]) -> Any:
        """One of these values."""
        return values[self.below(len(values))]

    def ago(self, most: int, least: int = 0) -> dt.date:
        """A day, from `least` to `most` days before the last one."""
        return AS_OF - dt.timedelta(days=least + self.below(most - least + 1))

    def born(self) -> dt.date:
        """A birth date of somebody who is 18 to 77."""
        return self.ago(77 * 365, 18 * 366)


def templates() -> Iterator[tuple[Path, str]]:
    """Every file of the templates, and what it should hold."""
    for name, tables in (("shop", _shop()), ("subscription", _subscription()), ("leads", _leads())):
        yield TEMPLATES / name / "segments.toml", _rules(name)
        for file, (header, rows) in tables.items():
            yield TEMPLATES / name / file, _csv(header, rows)


def _rules(name: str) -> str:
    """The rule file of `configs/`, which reads the data beside it, on the last day of that."""
    text = (
        (ROOT / "configs" / f"{name}.toml").read_text(encoding="utf-8").replace("#:schema ./segkit.schema.json\n", "")
    )
    text = re.sub(rf"\b{name}\.toml", "segments.toml", text)
    as_of = (
        f"as_of = {AS_OF}                        # the last day of the data made up beside this file; without it, today"
    )
    return re.sub(r"^# as_of = .*$", as_of, text, count=1, flags=re.MULTILINE)


def _csv(header: str, rows: Rows) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue()


def _shop() -> dict[str, tuple[str, Rows]]:
    draw = Draw(7)
    customers, orders = [], []
    for number in range(1, 151):
        first = draw.one_of(FIRST_NAMES)
        email = "" if draw.chance(6) else f"{first.lower()}{number}@example.org"
        kind = draw.one_of(("never", "new", "once", "regular", "regular", "good", "gone", "gone"))
        signed = draw.ago(30) if kind == "new" else draw.ago(1200, 100)
        key = f"C{number:03}"
        customers.append(
            [key, first, email, str(draw.chance(80)).lower(), draw.born(), draw.ago(60) if kind == "never" else signed]
        )
        orders += [
            [f"{key}-{n}", key, day, *line] for n, day in enumerate(_days(draw, kind), 1) for line in _lines(draw)
        ]
    orders.sort(key=lambda row: (row[2], row[0]))
    return {
        "customers.csv": ("customer_id,first_name,email,email_opt_in,birth_date,signed_up", customers),
        "orders.csv": ("order_id,customer_id,order_date,category,line_total", orders),
    }


def _days(draw: Draw, kind: str) -> list[dt.date]:
    match kind:
        case "never":
            return []
        case "new":
            return [draw.ago(29)]
        case "once":
            return [draw.ago(90, 31)]
        case "regular":
            return [draw.ago(700) for _ in range(2 + draw.below(5))]
        case "good":
            return [draw.ago(60), *(draw.ago(500) for _ in range(5 + draw.below(5)))]
        case _:
            return [draw.ago(900, 200) for _ in range(1 + draw.below(7))]


def _lines(draw: Draw) -> Iterator[tuple[str, str]]:
    for _ in range(1 + draw.below(3)):
        category, price = draw.one_of(CATEGORIES)
        cents = price * (30 + draw.below(300))
        yield category, f"{cents // 100}.{cents % 100:02}"


def _subscription() -> dict[str, tuple[str, Rows]]:
    draw = Draw(2)
    accounts, usage, payments, tickets = [], [], [], []
    plans = {"free": 0, "basic": 10, "pro": 30, "team": 90}
    for number in range(1, 81):
        key, plan = f"A{number:03}", draw.one_of(list(plans))
        started = draw.ago(25) if draw.chance(15) else draw.ago(1300, 40)
        renews = AS_OF + dt.timedelta(days=1 + draw.below(360))
        cancelled = draw.ago(35) if draw.chance(8) else ""
        email = f"{draw.one_of(FIRST_NAMES).lower()}@company{number}.example"
        country = draw.one_of(("FR", "DE", "NL"))
        accounts.append([key, email, plan, plans[plan], 1 + draw.below(20), country, started, renews, cancelled])
        since = (AS_OF - started).days
        often, silent = draw.one_of((5, 20, 50, 85)), draw.one_of((0, 0, 0, 20))
        usage += [[key, AS_OF - dt.timedelta(days=n)] for n in range(silent, min(75, since + 1)) if draw.chance(often)]
        months = range(0 if not plans[plan] else min(12, since // 30 + 1))
        payments += [[key, f"{key}-{n}", AS_OF - dt.timedelta(days=30 * n), f"{plans[plan]}.00"] for n in months]
        for n in range(draw.below(3) if draw.chance(40) else 0):
            priority = draw.one_of(("low", "normal", "high", "urgent"))
            tickets.append([key, f"{key}-T{n}", draw.ago(min(120, since)), priority])
    return {
        "accounts.csv": ("account_id,email,plan,monthly_fee,seats,country,started,renews,cancelled", accounts),
        "usage.csv": ("account_id,day", sorted(usage, key=lambda row: (row[1], row[0]))),
        "payments.csv": ("account_id,invoice,paid_on,amount", sorted(payments, key=lambda row: (row[2], row[0]))),
        "tickets.csv": ("account_id,ticket,opened_at,priority", sorted(tickets, key=lambda row: (row[2], row[1]))),
    }


def _leads() -> dict[str, tuple[str, Rows]]:
    draw = Draw(3)
    leads, visits, emails = [], [], []
    towns = ((47.22, -1.55), (48.11, -1.68), (47.47, -0.55), (48.86, 2.35), (50.63, 3.06))
    roles = ("Sales Director", "Buyer", "CEO", "Head of IT", "Student", "CMO", "Assistant")
    for number in range(1, 101):
        key, name = f"L{number:03}", draw.one_of(FIRST_NAMES)
        email = f"{name.lower()}@firm{number}.example" if draw.chance(75) else ""
        phone = f"+33 1 00 00 {number // 10:02} {number % 10:02}" if draw.chance(60) else ""
        latitude, longitude = draw.one_of(towns) if draw.chance(85) else ("", "")
        interests = draw.one_of(("crm", "crm; analytics", "analytics", "e-mail", "Select", ""))
        status = draw.one_of(("open", "open", "open", "customer", "lost"))
        created = draw.ago(300)
        leads.append(
            [
                key, f"Firm {number}", name, email, phone, draw.one_of(("FR", "FR", "DE", "BE")), draw.one_of(roles),
                draw.one_of((3, 8, 20, 60, 120, 400, 1200, 5000)), draw.one_of("ABCD"), status, created, interests,
                latitude, longitude,
            ]
        )  # fmt: skip
        since = (AS_OF - created).days
        for _ in range(draw.below(6)):
            page = draw.one_of(("/", "/blog", "/pricing", "/pricing/pro", "/customers"))
            hour = f"{8 + draw.below(11):02}:{draw.below(60):02}:00"
            visits.append([key, f"{draw.ago(min(since, draw.one_of((6, 28, 120))))}T{hour}", page])
        if email:
            for _ in range(draw.below(4)):
                opened = draw.chance(50)
                flags = [str(opened).lower(), str(opened and draw.chance(40)).lower()]
                emails.append([key, draw.ago(min(since, 120)), *flags])
    header = "lead_id,company,contact,email,phone,country,role,employees,industry_code,status,created,interests"
    industries = [
        ("A", "Building", "true"),
        ("B", "Trade", "true"),
        ("C", "Fishing", "false"),
        ("D", "Schools", "true"),
    ]
    return {
        "leads.csv": (f"{header},latitude,longitude", leads),
        "visits.csv": ("lead_id,visited_at,page", sorted(visits, key=lambda row: (row[1], row[0]))),
        "emails.csv": ("lead_id,sent_at,opened,clicked", sorted(emails, key=lambda row: (row[1], row[0]))),
        "industries.csv": ("code,industry,served", industries),
    }
