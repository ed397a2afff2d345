"""Hypothesis strategies for whole cases: tables full of edges, and valid rule files over the grammar.

`cases()` draws everything; `cases({"rfm"})` and the like focus on one part. Thresholds of conditions are drawn from
the values that the oracle computes for the column, so that they fall on the edges.

Hypothesis draws a seed, and the case is made from that: left to draw each cell, it makes most cases small and many of
them nearly the same, so that 25 of them saw 10 different lifecycles. With SEGKIT_SHRINK=1 it draws each cell, which it
can then shrink.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from .files import Case, Row, Table
from .oracle import (
    LIFECYCLE_DAYS,
    RFM_COLUMNS,
    VALUE_COLUMNS,
    Evaluation,
    Sql,
    add_months,
    compare,
    is_missing,
    present,
    rfm_tables,
    saved_cutoffs,
    shift,
)

ALL = frozenset(
    {"sources", "lookups", "traits", "rfm", "blocks", "sql", "assignment", "stages", "value", "places", "time"}
)

DAYS_OF_RUN = [
    dt.date(2024, 2, 29), dt.date(2023, 2, 28), dt.date(2024, 3, 31), dt.date(2023, 12, 31), dt.date(2025, 3, 1),
    dt.date(2024, 5, 30), dt.date(2024, 7, 1), dt.date(2024, 3, 1), dt.date(2024, 1, 31), dt.date(2024, 2, 28),
]  # fmt: skip
LEAP_DAYS_AHEAD = [day for day in DAYS_OF_RUN if (day.month, day.day) in {(2, 28), (2, 29), (3, 1)}]
DURATIONS = [
    "0 days", "1 day", "7 days", "30 days", "90 days", "1 week", "2 weeks", "1 month", "3 months", "6 months",
    "12 months", "1 quarter", "2 quarters", "1 year",
]  # fmt: skip
TEXTS = [
    "FR", "fr", "De", " FR", "Île-de-France", "Évry", "évry", "ÉVRY", "evry", "a b", "Straße", "O'Hara", 'say "hi"',
    "a,b", "a;b", "x|y", "100%", "007", "-", "\u00e9", "e\u0301", "東京", "as_of", None, None, "",
]  # fmt: skip
FRAGMENTS = ["F", "r", "é", "É", "-", " ", "ry", "ÎLE", "a", "ß", "7", '"', "東"]
PATTERNS = ["^F", "y$", "[a-z]", "É|é", "^.{2}$", r"\d+", "a.b", "r+y", "[^a-zA-Z]", r"^\W"]
NUMBERS = [None, -5, 0, 1, 2, 3, 17, 18, 25, 65]
QUARTERS = [None, *(Decimal(n) / 4 for n in (-6, 0, 1, 2, 3, 10, 400))]
DECIMALS = [None, *map(Decimal, ("0.1", "0.2", "0.3", "19.99", "20", "-4.5", "0", "1000000.05"))]
AMOUNTS = [None, *map(Decimal, ("0.1", "0.1", "0.2", "0.3", "10", "19.99", "-10", "-0.1", "0", "33.33", "999.9999"))]
FEW_AMOUNTS = list(map(Decimal, ("0.1", "0.1", "0.1", "0.7", "1.1")))  # means that a float sum misses by a hair
PLACES = [
    (48.8566, 2.3522), (48.86, 2.35), (45.764, 4.8357), (-33.87, 151.21), (0, 180), (0, -180), (90, 0),
    (-48.8566, -177.6478), (-45.764, -175.1643), (0.5, 0.5), (-0.5, -179.5),
]  # fmt: skip
GRID = [(latitude, longitude) for latitude in (0, 5, 7.5, 10, 20) for longitude in (0, 2.3, 4, 8, 12)]
BETWEEN = [(2.5, 3), (6, 3), (6, 6), (9, 6), (15, 1), (15, 10)]  # off the corners of the grid
NOWHERE = [(None, 2.5), (None, None), (45, None), (91, 2), (-90.5, 0), (45, 181), (10, -180.25)]
WHERE = [*PLACES, *GRID, *BETWEEN * 3, *NOWHERE]
POSTCODES = ["29200", "29000", "01000", "1000", "75001", "2A004"]
PRODUCTS = ["bricks", "sand", "Sand", "cement", "", None, "é clair"]
INTERESTS = ["lego", "sport", "music", "café", "old maps"]

FREE_FAMILIES = [
    "demographic", "geographic", "psychographic", "technographic", "firmographic", "needs",
]  # fmt: skip
ARITHMETIC = ("number", "money")
COUNTABLE = {"number", "money", "decimal", "mean"}


@dataclass
class EventTable:
    """What rules may say about an event table."""

    name: str
    columns: dict[str, str]
    has_id: bool = False
    amount: str | None = None
    complete: bool = False  # no amount is missing


@dataclass
class Draft:
    """A case in the making."""

    draw: Callable[..., Any] | None  # of Hypothesis; without it, `random` decides
    random: random.Random
    parts: frozenset[str]
    as_of: dt.date
    durations: list[str]  # few, so that values meet the edges
    behavioural: str = "behavioural"
    rules: Row = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    sql: dict[str, Sql] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)
    events: list[EventTable] = field(default_factory=list)
    pools: dict[str, list[Any]] = field(default_factory=dict)
    files: dict[str, Row] = field(default_factory=dict)
    zones: list[tuple[str, str, list[str]]] = field(default_factory=list)  # path, property, names
    early: dict[str, Row] = field(default_factory=dict)  # segments that stages, rules and later segments refer to
    evaluation: Evaluation | None = None

    def pick(self, options: Any) -> Any:
        if self.draw is None:
            return self.random.choice(list(options))
        return self.draw(st.sampled_from(list(options)))

    def chance(self, percent: int) -> bool:
        """True in about `percent` of the cases; shrinks to False."""
        number = self.random.randrange(100) if self.draw is None else self.draw(st.integers(0, 99))
        return number >= 100 - percent

    def some(self, options: Any, least: int = 0, most: int | None = None) -> list[Any]:
        """Different ones; few are as likely as many."""
        options = list(dict.fromkeys(options))
        most = len(options) if most is None else min(most, len(options))
        if not options:
            return []
        if self.draw is None:
            return self.random.sample(options, self.random.randint(min(least, most), most))
        found: list[Any] = self.draw(st.lists(st.sampled_from(options), min_size=least, max_size=most, unique=True))
        return found

    def several(self, options: list[Any], count: int) -> list[Any]:
        if self.draw is None:
            return self.random.choices(options, k=count)
        found: list[Any] = self.draw(st.lists(st.sampled_from(options), min_size=count, max_size=count))
        return found

    def shuffled(self, options: list[Any]) -> list[Any]:
        if self.draw is None:
            return self.random.sample(options, len(options))
        found: list[Any] = self.draw(st.permutations(options))
        return found

    def rows(self, columns: dict[str, list[Any]], count: int) -> list[Row]:
        """Rows with each cell from its column's pool."""
        if self.draw is None:
            return [{name: self.random.choice(pool) for name, pool in columns.items()} for _ in range(count)]
        one = st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in columns.items()})
        found: list[Row] = self.draw(st.lists(one, min_size=count, max_size=count))
        return found

    def about(self, part: str) -> bool:
        """Whether this part is what the case is about, with one or two others beside it."""
        return part in self.parts and len(self.parts) <= 3

    def names(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.columns.items() if kind in kinds]

    def add(self, expression: Sql) -> str:
        known = self.sql.get(expression.text)
        self.sql[expression.text] = known or expression
        return expression.text

    def compute(self, name: str, kind: str) -> None:
        self.columns[name] = kind
        self.computed.append(name)

    def know(self) -> None:
        """The oracle's values of the columns that there are by now, for thresholds that fall on the edges."""
        tables = {path: table.rows for path, table in self.tables.items()}
        if self.evaluation is None:
            self.evaluation = Evaluation(self.rules, tables, self.sql, self.files)
        self.evaluation.tables = tables
        for name in self.columns.keys() - self.pools.keys():
            self.pools[name] = self.evaluation.column(name)


def window_edges(draft: Draft) -> list[dt.date]:
    """The days on, just before and just after every window's edge."""
    days = {draft.as_of + dt.timedelta(days=n) for n in (-1, 0, 1, -400, 3)}
    for duration in draft.durations:
        edge = shift(draft.as_of, duration, -1)
        days |= {edge + dt.timedelta(days=n) for n in (-1, 0, 1)}
    return sorted(days)


def birthdays(as_of: dt.date) -> list[dt.date]:
    days = {
        dt.date(1992, 2, 29),
        dt.date(2000, 2, 29),
        dt.date(1960, 12, 31),
        dt.date(1999, 1, 1),
        dt.date(2001, 2, 28),
    }
    for years in (1, 18, 40):
        day = add_months(as_of, -12 * years)
        days |= {day + dt.timedelta(days=n) for n in (-31, -7, -1, 0, 1, 6, 7, 8, 30, 31)}
    return sorted(day for day in days if day <= as_of)


# --- Tables -------------------------------------------------------------------------------------------------------


def keys_of(draft: Draft, count: int) -> list[Any]:
    match draft.pick(["plain", "zeros", "integers", "words"]):
        case "plain":
            return [f"c{n}" for n in range(1, count + 1)]
        case "zeros":
            return [f"{n:05d}" for n in range(7, 7 + count)]
        case "integers":
            return list(range(8, 8 + count))
    return [f"{'ÀéZ'[n % 3]}-{n}" for n in range(count)]


def dialect(draft: Draft, spec: Row) -> Row:
    """How a CSV file is written; what cannot be detected for certain goes into the source's keys."""
    style: Row = {"booleans": draft.pick(["true", "yes", "1", "oui"]), "time_separator": draft.pick("T ")}
    if "sources" in draft.parts and draft.chance(15):
        style.update(delimiter=";", decimal=",")
        spec.update(delimiter=";", decimal=",")
    return style


def put(draft: Draft, path: str, rows: list[Row], kinds: dict[str, str], spec: Row) -> None:
    """Store a table and complete its source keys: the path and format, the types, a renamed column."""
    extension = draft.pick(["csv"] * 6 + ["parquet", "parquet", "ndjson"]) if "sources" in draft.parts else "csv"
    spec["path"] = f"{path}.{extension}"
    keys = [name for name, kind in kinds.items() if kind == "key"]
    if extension == "parquet" and draft.chance(30):  # whole numbers that came as floats: 8.0 is the key 8
        rows = with_keys(rows, keys, lambda value: float(value) if isinstance(value, int) else value)
    if extension != "csv" and len({type(row[name]) for name in keys for row in rows} - {type(None)}) > 1:
        rows = with_keys(rows, keys, lambda value: None if value is None else str(value))
    style = dialect(draft, spec) if extension == "csv" else {}
    declared = {"text": "text", "number": "number", "boolean": "boolean", "date": "date"}
    spec["types"] = {name: declared[kind] for name, kind in kinds.items() if kind in declared}
    if "sources" in draft.parts and draft.chance(20):
        new = draft.pick(kinds)
        old = f"Âge de {new}"
        rows = [{old if name == new else name: value for name, value in row.items()} for row in rows]
        kinds = {old if name == new else name: kind for name, kind in kinds.items()}
        spec["rename"] = {new: old}
    draft.tables[spec["path"]] = Table(rows, kinds, **style)


def with_keys(rows: list[Row], keys: list[str], change: Callable[[Any], Any]) -> list[Row]:
    return [{name: change(value) if name in keys else value for name, value in row.items()} for row in rows]


def customers(draft: Draft, count: int) -> list[Any]:
    """The customer table and `[customers]`; the keys."""
    edges = window_edges(draft)
    available: dict[str, tuple[str, list[Any]]] = {
        "age": ("number", NUMBERS), "points": ("number", QUARTERS), "income": ("decimal", DECIMALS),
        "country": ("text", TEXTS), "city": ("text", TEXTS), "postcode": ("text", [*POSTCODES, None]),
        "opt_in": ("boolean", [True, False, None]), "born": ("date", [*birthdays(draft.as_of), dt.date(2012, 2, 29), None, None]),
        "signed_up": ("date", [*edges, None]), "Last Login": ("date", [*edges, None]), "Âge réel": ("number", NUMBERS), "renewal": ("date", [*later(draft), None]),
    }  # fmt: skip
    if draft.parts == {"time"}:
        available = {name: pool for name, pool in available.items() if pool[0] in ("date", "number")}
    chosen = {name: available[name] for name in draft.some(available, least=3)}
    if draft.parts != {"time"}:
        chosen.setdefault("country", available["country"])
    coordinates = draft.chance(60 if draft.about("places") else 30 if len(draft.parts) > 1 else 0)
    if "lookups" in draft.parts and (draft.chance(60) or (draft.about("places") and not coordinates)):
        chosen.setdefault("postcode", available["postcode"])
    rows = draft.rows({name: pool for name, (_, pool) in chosen.items()}, count)
    keys = keys_of(draft, count)
    rows = [{"customer_id": key, **row} for key, row in zip(keys, rows, strict=True)]
    kinds = {"customer_id": "key"} | {n: "number" if k == "decimal" else k for n, (k, _) in chosen.items()}
    draft.columns.update({name: kind for name, (kind, _) in chosen.items()})
    spec: Row = {"key": "customer_id"}
    if coordinates:
        where = draft.several(WHERE, count)
        for row, (latitude, longitude) in zip(rows, where, strict=True):
            row["lat"], row["lon"] = (None if x is None else Decimal(str(x)) for x in (latitude, longitude))
        kinds |= {"lat": "number", "lon": "number"}
        draft.columns |= {"lat": "decimal", "lon": "decimal"}
        spec |= {"latitude": "lat", "longitude": "lon"}
    if draft.chance(70 if draft.parts == {"time"} else 30):
        separator = draft.pick([",", "|", ";"])
        for row in rows:
            several = draft.several([*INTERESTS, " "], draft.pick([0, 1, 1, 2, 3]))
            row["interests"] = f"{separator} ".join(several)
        kinds["interests"] = "text"
        draft.columns["interests"] = "list"
        spec["lists"] = {"interests": separator}
    if "sources" in draft.parts:
        messy_customers(draft, rows, spec)
    put(draft, "customers", rows, kinds, spec)
    draft.rules["customers"] = spec
    return keys


def later(draft: Draft) -> list[dt.date]:
    return sorted({shift(draft.as_of, d, 1) + dt.timedelta(days=n) for d in draft.durations for n in (-1, 0, 1)})


def messy_customers(draft: Draft, rows: list[Row], spec: Row) -> None:
    """Rows without key, duplicates where they are allowed, derived columns, `where`."""
    if draft.chance(15):
        rows.insert(draft.pick(range(len(rows) + 1)), {**rows[0], "customer_id": None})
    if draft.chance(15):
        copies = draft.some(range(len(rows)), least=1, most=3)
        for position in copies:
            rows.append({**rows[position - 1], "customer_id": rows[position]["customer_id"]})
        spec["duplicates"] = draft.pick(["first", "last"])
    elif draft.chance(20):
        name = draft.pick(draft.names("number", "text", "decimal", "boolean", "date"))
        pool = [row[name] for row in rows]
        spec["where"] = {name: condition(draft, draft.columns[name], pool, population=False)}
    if draft.chance(25):
        spec["derive"] = {}
        for name in ("derived_a", "derived_b")[: draft.pick([1, 2])]:
            expression, kind = sql_value(draft, draft.columns)
            spec["derive"][name] = draft.add(expression)
            draft.compute(name, kind)


def event_tables(draft: Draft, keys: list[Any]) -> None:
    """`orders` (lines with ids and amounts), sometimes `visits` (timestamps, nothing else) and `returns`."""
    draft.rules["events"] = {}
    orders(draft, keys)
    if draft.chance(30):
        visits(draft, keys)
    if draft.chance(25):
        first = draft.events[0]
        where = {"product": condition(draft, "text", PRODUCTS, population=False)}
        draft.rules["events"]["returns"] = {"like": "orders", "where": where}
        draft.events.append(EventTable("returns", first.columns, first.has_id, first.amount))


def event_keys(draft: Draft, keys: list[Any]) -> list[Any]:
    unknown: list[Any] = [99999] if isinstance(keys[0], int) else ["nobody"]
    padded = [] if isinstance(keys[0], int) else [f" {keys[0]} "]
    busy = keys[:2] * draft.pick([1, len(keys)])
    return [*keys, *busy, *unknown, *padded, None]


def orders(draft: Draft, keys: list[Any]) -> None:
    count = draft.pick([12, 1, 4, 30, 60, 90, 120])
    pools: dict[str, list[Any]] = {
        "customer_id": event_keys(draft, keys), "order_date": [*window_edges(draft), None],
        "product": PRODUCTS, "channel": ["web", "shop", "Web", None], "quantity": NUMBERS, "weight": QUARTERS,
        "price": DECIMALS, "gift": [True, False, None], "delivered": [*window_edges(draft), None],
        "line_total": AMOUNTS, "order_id": [*(f"o{n}" for n in range(1, 3 + count // 3)), None],
    }  # fmt: skip
    kinds = {
        "customer_id": "key", "order_date": "date", "product": "text", "channel": "text", "quantity": "number",
        "weight": "number", "price": "number", "gift": "boolean", "delivered": "date", "line_total": "money",
        "order_id": "text",
    }  # fmt: skip
    optional = ["channel", "quantity", "weight", "price", "gift", "delivered"]
    for name in set(optional) - set(draft.some(optional)):
        del pools[name], kinds[name]
    if draft.chance(40):
        pools["line_total"] = draft.pick([present(AMOUNTS), FEW_AMOUNTS])
    if draft.chance(20):
        # of one length, so that their order as text, on which the contract is silent, is that of the numbers
        pools["order_id"] = [*range(108, 110 + count // 3), None]
        kinds["order_id"] = "number"
    rows = draft.rows(pools, count)
    rows[0] |= {"customer_id": keys[0], "order_date": draft.as_of}
    if draft.chance(40):  # whole orders: the lines of one id have one customer and one day
        whole: dict[Any, Row] = {}
        for row in rows:
            first = whole.setdefault(row["order_id"], row) if row["order_id"] else row
            row |= {name: first[name] for name in ("customer_id", "order_date")}
    if draft.chance(20):
        rows += rows[: len(rows) // 2]
    if draft.about("stages") and draft.chance(60):  # one row a customer: whole stages hang on its day
        rows = list({str(row["customer_id"]).strip(): row for row in reversed(rows)}.values())[::-1]
    spec: Row = {"time": "order_date", "amount": "line_total"}
    table = EventTable("orders", {}, amount="line_total")
    table.complete = None not in [row["line_total"] for row in rows]
    if draft.chance(70):
        spec["id"] = "order_id"
        table.has_id = True
        if draft.chance(25):
            spec["amount_per"] = "event"
            totals: dict[Any, Any] = {}
            for row in rows:
                identity = (
                    row["customer_id"] if row["customer_id"] is None else str(row["customer_id"]).strip(),
                    row["order_id"],
                )
                if row["order_id"] and row["line_total"] is not None:
                    row["line_total"] = totals.setdefault(identity, row["line_total"])
    if draft.chance(15):
        rows = [{("buyer" if name == "customer_id" else name): value for name, value in row.items()} for row in rows]
        kinds = {("buyer" if name == "customer_id" else name): kind for name, kind in kinds.items()}
        spec["key"] = "buyer"
    fields = {n: "decimal" if n == "price" else k for n, k in kinds.items() if k != "key"}
    table.columns.update(fields)
    if "sources" in draft.parts:
        if {"quantity", "price"} <= set(fields) and draft.chance(30):
            product = Sql(
                "quantity * price", frozenset({"quantity", "price"}), _lift(lambda row: row["quantity"] * row["price"])
            )
            spec |= {"derive": {"total": draft.add(product)}, "amount": "total"}
            spec.pop("amount_per", None)
            table.amount, table.complete = "total", False
            del fields["line_total"], table.columns["line_total"]
            table.columns["total"] = "money"
        if draft.chance(20):
            name = draft.pick(fields)
            spec["where"] = {name: condition(draft, fields[name], [row[name] for row in rows], population=False)}
    put(draft, "orders", rows, kinds, spec)
    draft.rules["events"]["orders"] = spec
    draft.events.append(table)


def _lift(function: Callable[[Row], Any]) -> Callable[[Row], Any]:
    """SQL arithmetic: missing where an operand is missing."""

    def lifted(row: Row) -> Any:
        try:
            return function(row)
        except TypeError:
            return None

    return lifted


def visits(draft: Draft, keys: list[Any]) -> None:
    zone = draft.pick(
        [None, dt.UTC, dt.timezone(dt.timedelta(hours=2)), dt.timezone(dt.timedelta(hours=-5, minutes=-30))]
    )
    clock = [dt.time(0, 0), dt.time(12, 30), dt.time(23, 30)]
    times = [dt.datetime.combine(day, time, zone) for day in window_edges(draft) for time in clock]
    pools = {"customer_id": event_keys(draft, keys), "at": [*times, None], "page": TEXTS}
    rows = draft.rows(pools, draft.pick([1, 5, 30]))
    rows[0] |= {"customer_id": keys[0], "at": dt.datetime.combine(draft.as_of - dt.timedelta(days=1), clock[1], zone)}
    spec: Row = {"time": "at"}
    put(draft, "visits", rows, {"customer_id": "key", "at": "timestamp", "page": "text"}, spec)
    draft.rules["events"]["visits"] = spec
    draft.events.append(EventTable("visits", {"page": "text", "at": "date"}))


def lookups(draft: Draft) -> None:
    draft.rules["lookup"] = {}
    if "postcode" in draft.columns and (draft.about("places") or draft.chance(80)):
        places_lookup(draft)
    if draft.events and draft.chance(50):
        products_lookup(draft)
    if not draft.rules["lookup"]:
        del draft.rules["lookup"]


def places_lookup(draft: Draft) -> None:
    pools: dict[str, list[Any]] = {"code": [*POSTCODES, None], "region": TEXTS, "density": QUARTERS}
    two_keys = draft.chance(25)
    if two_keys:
        pools["pays"] = TEXTS
    rows = draft.rows(pools, draft.pick([4, 1, 10, 20]))
    rows[0] |= {"code": POSTCODES[0]} | ({"pays": "FR"} if two_keys else {})
    kinds = {"code": "text", "region": "text", "density": "number"} | ({"pays": "text"} if two_keys else {})
    spec: Row = {"on": {"postcode": "code", "country": "pays"} if two_keys else {"postcode": "code"}}
    placed = "lat" in draft.columns or "from" in draft.rules["customers"]
    located = not placed and draft.chance(100 if draft.about("places") else 50)
    if located:  # coordinates from a postcode alone
        coordinates = draft.several(WHERE, len(rows))
        for row, (latitude, longitude) in zip(rows, coordinates, strict=True):
            row["lat"], row["lon"] = (None if x is None else Decimal(str(x)) for x in (latitude, longitude))
        kinds |= {"lat": "number", "lon": "number"}
        draft.rules["customers"] |= {"latitude": "lat", "longitude": "lon"}
    if draft.chance(70):
        spec["columns"] = ["region", "density", *(["lat", "lon"] if located else [])]
    if not two_keys and draft.chance(40):
        for row in rows:
            more = draft.some(POSTCODES, most=2)
            row["code"] = draft.pick([", ", ","]).join([*([row["code"]] if row["code"] else []), *more]) or None
        spec["explode"] = {"code": ","}
    if draft.chance(50):
        spec["duplicates"] = "first"
        if draft.chance(70):
            spec["by"] = "density"
    else:
        rows = unique_rows(rows, list(kinds), "code", "pays" if two_keys else None)
    put(draft, "places", rows, kinds, spec)
    draft.rules["lookup"]["places"] = spec
    draft.compute("region", "text")
    draft.compute("density", "number")
    if located:
        draft.compute("lat", "decimal")
        draft.compute("lon", "decimal")


def unique_rows(rows: list[Row], columns: list[str], key: str, second: str | None) -> list[Row]:
    """Without the rows, or the parts of an exploded key, that come twice."""
    seen: set[Any] = set()
    kept = []
    for row in rows:
        parts = [part.strip() for part in row[key].split(",")] if row[key] else []
        other = (row[second] or "").strip() if second else None
        fresh = [part for part in dict.fromkeys(parts) if (part, other) not in seen]
        seen |= {(part, other) for part in fresh}
        if fresh or not parts:
            kept.append({name: (",".join(fresh) or None) if name == key else row[name] for name in columns})
    return kept


def products_lookup(draft: Draft) -> None:
    pools: dict[str, list[Any]] = {"product": PRODUCTS, "category": ["new", "old", None], "stock": NUMBERS}
    rows = draft.rows(pools, draft.pick([1, 5]))
    rows[0]["product"] = PRODUCTS[0]
    spec: Row = {"on": "product", "columns": ["category", "stock"], "into": "orders", "duplicates": "first"}
    put(draft, "products", rows, {"product": "text", "category": "text", "stock": "number"}, spec)
    draft.rules["lookup"]["products"] = spec
    draft.events[0].columns = draft.events[0].columns | {"category": "text", "stock": "number"}


def notes_lookup(draft: Draft) -> None:
    """Reference data that is joined by a computed column: a stage, a grade, a band."""
    name = draft.pick([name for name in draft.computed if draft.columns[name] == "text"] or draft.names("text"))
    known = list(dict.fromkeys(present(draft.pools[name])))
    rows = draft.rows({"is": [*known[:6], "FR", None], "note": TEXTS, "weight_of": NUMBERS}, 5)
    rows[0]["is"] = (known or ["FR"])[0]
    spec: Row = {"on": {name: "is"}, "duplicates": "first"} | ({"by": "weight_of"} if draft.chance(50) else {})
    put(draft, "notes", rows, {"is": "text", "note": "text", "weight_of": "number"}, spec)
    draft.rules.setdefault("lookup", {})["notes"] = spec
    draft.compute("note", "text")
    draft.compute("weight_of", "number")


# --- Zones --------------------------------------------------------------------------------------------------------


def zones(draft: Draft) -> None:
    """GeoJSON whose corners and borders are where customers live."""
    path, key = "zones.geojson", draft.pick(["name", "name", "Fahrer"])
    features: list[Row] = []
    names: list[str] = []
    for _ in range(draft.pick([2, 1, 4, 6])):
        geometry = draft.pick([polygon, polygon, many_polygons, collection])(draft)
        name = draft.pick(["Nord", "Zoé", "a b", 12, None])
        names += [] if name is None else [str(name)]
        features.append({"type": "Feature", "properties": {key: name, "id": len(features)}, "geometry": geometry})
    if draft.chance(30):  # neither is a zone
        features.append({"type": "Feature", "properties": {key: "Nord"}, "geometry": point(draft)})
        features.append({"type": "Feature", "properties": None, "geometry": None})
    content: Row = {"type": "FeatureCollection", "features": features}
    if draft.chance(10):
        content, names = features[0]["geometry"], []
    draft.files[path] = content
    draft.zones.append((path, key, list(dict.fromkeys(names))))


def point(draft: Draft) -> Row:
    latitude, longitude = draft.pick(PLACES)
    return {"type": "Point", "coordinates": [longitude, latitude]}


def polygon(draft: Draft) -> Row:
    return {"type": "Polygon", "coordinates": draft.pick([rectangle, triangle])(draft)}


def many_polygons(draft: Draft) -> Row:
    parts = [draft.pick([rectangle, rectangle, triangle])(draft) for _ in range(draft.pick([2, 1, 3]))]
    return {"type": "MultiPolygon", "coordinates": parts}


def collection(draft: Draft) -> Row:
    return {"type": "GeometryCollection", "geometries": [polygon(draft), point(draft), many_polygons(draft)]}


def corners(draft: Draft) -> tuple[list[float], list[float]]:
    """Latitudes and longitudes for a shape, of the whole world or of a small part in which zones meet and overlap."""
    if draft.chance(30):
        return sorted({-90, 60, 90, *(y for y, _ in PLACES)}), sorted({-180, -90, 180, *(x for _, x in PLACES)})
    return sorted({y for y, _ in GRID}), sorted({x for _, x in GRID})


def rectangle(draft: Draft) -> list[list[list[float]]]:
    latitudes, longitudes = corners(draft)
    south, north = sorted(draft.some(latitudes, least=2, most=2))
    west, east = sorted(draft.some(longitudes, least=2, most=2))
    rings = [ring([(west, south), (east, south), (east, north), (west, north)], draft.chance(50))]
    middle = [(x, y) for y, x in [*PLACES, *GRID] if west < x < east and south < y < north]
    if middle and draft.chance(40):  # a hole with a corner where a customer lives
        x, y = draft.pick(middle)
        rings.append(ring([(x, y), ((x + east) / 2, y), (x, (y + north) / 2)], draft.chance(50)))
    return rings


def triangle(draft: Draft) -> list[list[list[float]]]:
    latitudes, longitudes = corners(draft)
    three = [(draft.pick(longitudes), draft.pick(latitudes)) for _ in range(3)]
    (ax, ay), (bx, by), (cx, cy) = ((Fraction(x), Fraction(y)) for x, y in three)
    if (bx - ax) * (cy - ay) == (by - ay) * (cx - ax):
        return rectangle(draft)
    return [ring(three, draft.chance(50))]


def ring(points: list[tuple[float, float]], turned: bool) -> list[list[float]]:
    closed = [list(point) for point in [*points, points[0]]]
    return closed[::-1] if turned else closed


def inside(draft: Draft) -> Any:
    """A path, a path with names, or several of these."""
    found = [one_inside(draft) for _ in range(draft.pick([1, 1, 2]))]
    return found if len(found) > 1 or draft.chance(20) else found[0]


def one_inside(draft: Draft) -> Any:
    path, key, names = draft.pick(draft.zones)
    if not names or draft.chance(20):
        return {"path": path} if draft.chance(40) else path
    wanted = draft.some(names, least=1, most=2)
    result = {"path": path, "name": wanted[0] if len(wanted) == 1 and draft.chance(60) else wanted}
    return result | ({"property": key} if key != "name" or draft.chance(20) else {})


# --- Conditions ---------------------------------------------------------------------------------------------------


def ordered_pair(draft: Draft, values: list[Any]) -> list[Any]:
    return sorted([draft.pick(values), draft.pick(values)])


def literal(value: Any) -> Any:
    """A value as the rule file writes it: no trailing zeros, a mean rounded to four places."""
    if isinstance(value, float):
        value = Decimal(str(round(value, 4)))
    if isinstance(value, Decimal):
        value = value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
        return int(value) if value == value.to_integral_value() else value
    return value


def condition(draft: Draft, kind: str, pool: list[Any], population: bool = True) -> Any:
    """A condition that fits a column of this kind; `pool` holds its values."""
    if kind == "loose" or draft.chance(6):
        return {"missing": draft.pick([True, False])}
    values = list(
        dict.fromkeys(literal(value) for value in pool if not is_missing(value) and not isinstance(value, list))
    )
    match kind:
        case "text":
            values = values or ["FR"]
        case "date":
            values = values or [draft.as_of]
        case "boolean":
            values = [True, False]
        case "list":
            values = [*INTERESTS, "nothing"]
        case _:
            values = [*values, 0, 3] if values else [0, 1, Decimal("2.5")]
            # money is exact to any digit; other numbers may be held as doubles
            hairs = [Decimal("0.5"), Decimal("-0.005"), Decimal("-1e-11" if kind == "money" else "1e-9")]
            values.append(draft.pick(values) + (1 if kind == "mean" else draft.pick(hairs)))
    if kind != "list" and draft.chance(25):
        return draft.pick(values) if draft.chance(50) else draft.some(values, least=1, most=3)
    count = draft.pick([1, 1, 2])
    wanted = {}
    for name in draft.some(operators_of(kind, population, values, draft.as_of), least=count, most=count):
        wanted[name] = operand(draft, name, kind, values)
    if kind == "text" and draft.chance(30):
        wanted["ignore_case"] = True
    if draft.chance(20):
        wanted["or_missing"] = True
    elif draft.chance(8):
        wanted["missing"] = False
    return wanted


def operators_of(kind: str, population: bool, values: list[Any], as_of: dt.date) -> list[str]:
    equality = ["is", "not", "in", "not_in"]
    order = ["min", "max", "above", "below", "between"]
    match kind:
        case "text":
            text = ["contains", "starts_with", "ends_with", "matches"]
            return [*equality, *text, *(f"not_{name}" for name in text)]
        case "boolean":
            return equality
        case "list":
            return ["has_any", "has_all", "has_none"]
        case "date":
            relative = ["before", "after", "on", *["within", "not_within", "older_than", "within_next"] * 2]
            past = ["anniversary_within"] * 3 if all(value <= as_of for value in values) else []
            return [*equality, *order, *relative, *past]
    return [*equality, *order, *(["top_percent", "bottom_percent"] * 2 if population else [])]


def operand(draft: Draft, name: str, kind: str, values: list[Any]) -> Any:
    match name:
        case "in" | "not_in":
            return draft.some(values, least=1, most=3)
        case "between":
            return ordered_pair(draft, values)
        case "within" | "not_within" | "older_than" | "within_next" | "anniversary_within":
            return draft.pick(draft.durations)
        case "top_percent" | "bottom_percent":
            percent = draft.pick([0, 1, 10, 20, 25, Decimal("33.3"), 50, Decimal("0.1"), Decimal("66.7"), 90, 100])
            return {"percent": percent, **groups(draft)} if draft.chance(50) else percent
        case "has_any" | "has_all" | "has_none":
            return draft.pick(values) if draft.chance(20) else draft.some(values, least=1, most=3)
        case "matches" | "not_matches":
            return one_or_several(draft, PATTERNS)
    if kind == "text" and name not in ("is", "not"):
        parts = [value[:2] for value in values] + [value[-2:] for value in values]
        return one_or_several(draft, list(dict.fromkeys([*FRAGMENTS, *parts])))
    return draft.pick(values)


def groups(draft: Draft) -> Row:
    """Columns whose values make groups, computed ones too; or none. Few values make groups of many."""
    few = draft.names("text", "boolean")
    names = draft.some([*few, *draft.names("date", "number", "decimal", "money", "mean")], least=1, most=2)
    if few and draft.chance(50):
        names = [draft.pick(few)]
    if not names or draft.chance(15):
        return {}
    return {"per": names[0] if len(names) == 1 and draft.chance(70) else names}


def one_or_several(draft: Draft, options: list[str]) -> Any:
    return draft.pick(options) if draft.chance(60) else draft.some(options, least=1, most=3)


# --- SQL ----------------------------------------------------------------------------------------------------------
# Each function gives the text and its meaning side by side; missing values follow SQL's three-valued logic.


def _strict(function: Callable[..., Any], *parts: Sql) -> Callable[[Row], Any]:
    """Missing where any part is."""

    def value(row: Row) -> Any:
        values = [part.value(row) for part in parts]
        return None if None in values else function(*values)

    return value


def _sql(text: str, parts: list[Sql], value: Callable[[Row], Any]) -> Sql:
    return Sql(text, frozenset().union(*(part.columns for part in parts)), value)


def sql_column(name: str) -> Sql:
    plain = re.fullmatch("[a-z][a-z0-9_]*", name)
    return Sql(name if plain else f'"{name}"', frozenset({name}), lambda row: row[name])


def sql_constant(text: str, value: Any) -> Sql:
    return Sql(text, frozenset(), lambda _: value)


def sql_number(draft: Draft, columns: dict[str, str], depth: int = 1) -> Sql:
    # money is exact among money and whole numbers; beside other columns, which may be doubles, it need not be
    kinds = [kind for kind in ARITHMETIC if kind in columns.values()]
    if len(kinds) > 1:
        chosen = draft.pick(kinds)
        columns = {name: kind for name, kind in columns.items() if kind == chosen}
    names = [name for name, kind in columns.items() if kind in ARITHMETIC]
    if not names or (depth == 0 and draft.chance(30)):
        number = draft.pick([0, 1, 2, 18, 100])
        return sql_constant(str(number), number)
    if depth == 0:
        return sql_column(draft.pick(names))
    a, b = sql_number(draft, columns, depth - 1), sql_number(draft, columns, depth - 1)
    match draft.pick(["column", "+", "-", "*", "coalesce", "nullif"]):
        case "column":
            return sql_column(draft.pick(names))
        case "+":
            return _sql(f"{a.text} + {b.text}", [a, b], _strict(lambda x, y: x + y, a, b))
        case "-":
            return _sql(f"({a.text} - {b.text})", [a, b], _strict(lambda x, y: x - y, a, b))
        case "*":
            return _sql(f"({a.text}) * ({b.text})", [a, b], _strict(lambda x, y: x * y, a, b))
        case "coalesce":
            column = sql_column(draft.pick(names))
            return _sql(f"COALESCE({column.text}, 0)", [column], lambda row: _or(column.value(row), 0))
    column = sql_column(draft.pick(names))
    return _sql(f"NULLIF({column.text}, 0)", [column], lambda row: _not_zero(column.value(row)))


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _not_zero(value: Any) -> Any:
    return None if value == 0 else value


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sql_comparison(draft: Draft, columns: dict[str, str]) -> Sql:
    """An elementary condition on one of the columns."""
    kinds = {"number": ARITHMETIC, "text": {"text"}, "date": {"date"}, "boolean": {"boolean"}}
    usable = {name: [c for c, k in columns.items() if k in group] for name, group in kinds.items()}
    kind = draft.pick([name for name, names in usable.items() if names] or ["number"])
    if kind == "number":
        a, b = sql_number(draft, columns), sql_number(draft, columns, 0)
        sign = draft.pick(["<", "<=", ">", ">=", "=", "<>"])
        return _sql(f"{a.text} {sign} {b.text}", [a, b], _strict(SIGNS[sign], a, b))
    column = sql_column(draft.pick(usable[kind]))
    if draft.chance(20):
        negated = draft.chance(50)
        text = f"{column.text} IS {'NOT ' if negated else ''}NULL"
        return _sql(text, [column], lambda row: (column.value(row) is not None) == negated)
    match kind:
        case "boolean":
            return column
        case "date":
            day, sign = draft.pick(window_edges(draft)), draft.pick(["<", "<=", ">", ">=", "="])
            if draft.chance(20):
                now = sql_column("as_of")
                return _sql(f"{column.text} {sign} as_of", [column, now], _strict(SIGNS[sign], column, now))
            return _sql(f"{column.text} {sign} DATE '{day}'", [column], _strict(lambda x: SIGNS[sign](x, day), column))
    texts = [text for text in TEXTS if text]
    match draft.pick(["=", "in", "like"]):
        case "=":
            text = draft.pick(texts)
            return _sql(f"{column.text} = {_quoted(text)}", [column], _strict(lambda x: x == text, column))
        case "in":
            several = draft.some(texts, least=1, most=3)
            listed = ", ".join(map(_quoted, several))
            return _sql(f"{column.text} IN ({listed})", [column], _strict(lambda x: x in several, column))
    start = draft.pick(["F", "Év", "a"])
    return _sql(f"{column.text} LIKE '{start}%'", [column], _strict(lambda x: x.startswith(start), column))


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda x, y: x < y, "<=": lambda x, y: x <= y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y,
    "=": lambda x, y: x == y, "<>": lambda x, y: x != y,
}  # fmt: skip


def sql_boolean(draft: Draft, columns: dict[str, str], depth: int = 1) -> Sql:
    if depth == 0 or draft.chance(40):
        return sql_comparison(draft, columns)
    a, b = sql_boolean(draft, columns, depth - 1), sql_boolean(draft, columns, depth - 1)
    match draft.pick(["and", "or", "not"]):
        case "and":
            return _sql(f"({a.text}) AND ({b.text})", [a, b], lambda row: _and(a.value(row), b.value(row)))
        case "or":
            return _sql(
                f"({a.text}) OR ({b.text})",
                [a, b],
                lambda row: _invert(_and(_invert(a.value(row)), _invert(b.value(row)))),
            )
    return _sql(f"NOT ({a.text})", [a], lambda row: _invert(a.value(row)))


def _and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _invert(a: bool | None) -> bool | None:
    return None if a is None else not a


def sql_value(draft: Draft, columns: dict[str, str]) -> tuple[Sql, str]:
    """An expression that makes a column, and the column's kind."""
    texts = [name for name, kind in columns.items() if kind == "text"]
    match draft.pick(["number", "boolean", "case", *(["coalesce", "upper"] if texts else [])]):
        case "number":
            expression = sql_number(draft, columns)
            money = any(columns.get(name) == "money" for name in expression.columns)
            return expression, "money" if money else "number"
        case "boolean":
            return sql_boolean(draft, columns), "boolean"
        case "case":
            test = sql_boolean(draft, columns)
            return _sql(
                f"CASE WHEN {test.text} THEN 'yes' ELSE 'no' END",
                [test],
                lambda row: "yes" if test.value(row) else "no",
            ), "text"
        case "coalesce":
            column = sql_column(draft.pick(texts))
            return _sql(
                f"COALESCE({column.text}, 'none')", [column], lambda row: _or(column.value(row), "none")
            ), "text"
    column = sql_column(draft.pick(texts))
    return _sql(f"UPPER({column.text})", [column], _strict(str.upper, column)), "text"


# --- Traits, event conditions, RFM --------------------------------------------------------------------------------


def window(draft: Draft) -> Row:
    edges = window_edges(draft)
    dates = draft.names("date")
    match draft.pick(
        ["none", "within", "between", "since", "before", "since before", *(["column"] * 3 if dates else [])]
    ):
        case "within":
            return {"within": draft.pick(draft.durations)}
        case "between" if draft.chance(50):
            pair = [draft.pick(draft.durations), draft.pick(draft.durations)]
            return {"between": sorted(pair, key=lambda duration: shift(draft.as_of, duration, -1))}
        case "between":
            return {"between": ordered_pair(draft, edges)}
        case "since":
            return {"since": moment(draft)}
        case "before":
            return {"before": moment(draft)}
        case "since before":
            days = {
                bound if isinstance(bound, dt.date) else shift(draft.as_of, bound, -1): bound
                for bound in (moment(draft), moment(draft))
            }
            return dict(zip(("since", "before"), (days[day] for day in sorted(days)), strict=False))
        case "column":
            duration = {"for": draft.pick(draft.durations)} if draft.chance(70) else {}
            return {"since": {"column": draft.pick(dates)}, **duration}
    return {}


def moment(draft: Draft) -> Any:
    return draft.pick(draft.durations) if draft.chance(50) else draft.pick(window_edges(draft))


def event_where(draft: Draft, table: EventTable) -> Row:
    if not draft.chance(50):
        return {}
    where = {}
    for name in draft.some(table.columns, least=1, most=2):
        pool = event_pool(draft, table, name)
        where[name] = condition(draft, table.columns[name], pool, population=False)
    return {"where": where}


def event_pool(draft: Draft, table: EventTable, name: str) -> list[Any]:
    days = window_edges(draft)
    pools: dict[str, list[Any]] = {
        "product": PRODUCTS, "channel": ["web", "shop", "Web"], "category": ["new", "old"], "page": TEXTS,
        "weight": QUARTERS, "price": DECIMALS, "gift": [True, False], "delivered": days, "order_date": days, "at": days,
        "line_total": AMOUNTS, "total": AMOUNTS,
    }  # fmt: skip
    if name == "order_id" and table.columns[name] == "text":
        return ["o1", "o2", "o10"]
    return pools.get(name, NUMBERS)


def measured(draft: Draft, numeric: bool) -> tuple[Row, str]:
    """`events`, `where`, window, `measure` and `of`, and the kind of the result."""
    table = draft.pick(draft.events)
    spec: Row = {"events": table.name, **event_where(draft, table), **window(draft)}
    of = dict(table.columns)
    summable = {name: kind for name, kind in of.items() if kind == "number"}
    ordered = {
        name: kind for name, kind in of.items() if kind in ("number", "decimal") or (kind == "date" and not numeric)
    }
    if draft.chance(25):
        spec |= sequels(draft, table)
    measures = ["count", "count", "active_days", "days_since_first", "days_since_last", "distinct"]
    measures += ["active_weeks", "active_months", "active_quarters", "gap_mean", "gap_median"]
    measures += ["sum", "mean", "min", "max", "median"] * 2 if table.amount else []
    measures += [] if numeric else ["first", "last", "most_frequent", "nth", "nth"] * 2
    measures += ["share", "share"] if spec.get("where") else []
    name = draft.pick(measures)
    if name != "count" or draft.chance(30):
        spec["measure"] = name
    match name:
        case "distinct" | "most_frequent":
            spec["of"] = draft.pick(of)
            return spec, "number" if name == "distinct" else of[spec["of"]]
        case "first" | "last":
            if draft.chance(30):
                return spec, "date"
            spec["of"] = draft.pick(of)
            return spec, of[spec["of"]]
        case "nth":
            spec["n"] = draft.pick([1, 2, -1, -2, 3])
            if draft.chance(40):
                return spec, "date"
            spec["of"] = draft.pick(of)
            return spec, of[spec["of"]]
        case "share":
            if summable and draft.chance(50):
                spec["of"] = draft.pick(summable)
            return spec, "mean"
        case "gap_mean" | "gap_median":
            return spec, "mean"
        case "sum" | "mean" | "median" if summable and draft.chance(30):
            spec["of"] = draft.pick(summable)
            return spec, "number" if name == "sum" else "mean"
        case "min" | "max" if ordered and draft.chance(40):
            spec["of"] = draft.pick(ordered)
            return spec, ordered[spec["of"]]
        case "sum" | "mean" | "min" | "max" | "median":
            if draft.chance(30):
                spec["of"] = table.amount
            return spec, "mean" if name in ("mean", "median") else "money"
    return spec, "number"


def sequels(draft: Draft, table: Any) -> Row:
    """`then`, `then_not` or both."""
    made: Row = {}
    for key in draft.some(["then", "then_not"], least=1, most=2):
        there = draft.pick(draft.events)
        sequel: Row = event_where(draft, there)
        if there.name != table.name or draft.chance(20):
            sequel["events"] = there.name
        lengths = [("1 day", "2 weeks"), ("0 days", "1 month"), ("30 days", "60 days"), ("1 month", "1 quarter")]
        match draft.pick(["", "within", "between"]):
            case "within":
                sequel["within"] = draft.pick(["0 days", "1 day", "30 days", "1 month", "6 months", "1 year"])
            case "between":
                sequel["between"] = list(draft.pick(lengths))
        if sequel.get("within") == "0 days" and key == "then":
            sequel["same_day"] = True
        elif sequel.get("between", ["0 days"])[0] == "0 days" and draft.chance(40):
            sequel["same_day"] = draft.chance(50)
        made[key] = sequel
    return made


def traits(draft: Draft, most: int = 8) -> None:
    made = draft.rules.setdefault("trait", {})
    for _ in range(draft.pick([n for n in (2, 1, 4, 6, 8) if n <= most])):
        name = f"{draft.pick(['t', 'trait_', 'q-'])}{len(made)}".replace("-", "_")
        spec, kind = trait(draft)
        made[name] = spec
        draft.compute(name, kind)
    if draft.chance(30):  # columns are computed in the order of need, not of the file
        reversed_ = dict(reversed(made.items()))
        made.clear()
        made.update(reversed_)


def trait(draft: Draft) -> tuple[Row, str]:
    dates, numbers = draft.names("date"), draft.names(*COUNTABLE)
    kinds = ["events"] * 4 * bool(draft.events) + (["years_since"] if "born" in draft.columns else [])
    kinds += ["ratio"] if draft.names("money") and draft.names("number") else []
    kinds += (
        (["days_since"] if dates else [])
        + (["bands", "quantiles", "mean_of"] if numbers else [])
        + (["sql"] if "sql" in draft.parts else [])
    )
    match draft.pick(kinds or ["sql"]):
        case "events":
            return measured(draft, numeric=False)
        case "years_since":
            return {"years_since": "born"}, "number"
        case "days_since":
            return {"days_since": draft.pick(dates)}, "number"
        case "bands":
            edges = sorted(draft.some([-1, 0, 1, Decimal("2.5"), 18, 25, 40, 100], least=1, most=4))
            labels = ["<18", "18-24", "Mid", "é", "old"][: len(edges) + 1]
            return {"bands": {"of": draft.pick(numbers), "edges": edges, "labels": labels}}, "text"
        case "quantiles":
            count = draft.pick([2, 3, 4, 5, 10, 100])
            bands: Row = {"of": draft.pick(numbers), "quantiles": count, **groups(draft)}
            if count <= 5 and draft.chance(40):
                return {"bands": bands | {"labels": ["low", "Mid", "é", "high", "top"][:count]}}, "text"
            return {"bands": bands}, "number"
        case "mean_of":
            means = [(name, spec["mean_of"]) for name, spec in draft.rules["trait"].items() if "mean_of" in spec]
            if means and draft.chance(40):  # who has more than the mean of his group
                mean, of = draft.pick(means)
                return {"sql": draft.add(more_than(of, mean))}, "boolean"
            return {"mean_of": draft.pick(numbers), **groups(draft)}, "mean"
        case "ratio":
            expression = ratio(draft.pick(draft.names("money")), draft.pick(draft.names("number")))
            return {"sql": draft.add(expression)}, "loose"
    expression, kind = sql_value(draft, draft.columns)
    return {"sql": draft.add(expression)}, kind


def more_than(column: str, mean: str) -> Sql:
    """The contract's own example: `spend > region_mean`."""
    a, b = sql_column(column), sql_column(mean)
    return _sql(f"{a.text} > {b.text}", [a, b], _strict(lambda x, y: compare(x, y) > 0, a, b))


def ratio(money: str, number: str) -> Sql:
    """The contract's own example: `spend / nullif(orders, 0)`."""
    a, b = sql_column(money), sql_column(number)
    text = f"{a.text} / NULLIF({b.text}, 0)"
    return _sql(text, [a, b], lambda row: _divided(a.value(row), b.value(row)))


def _divided(a: Any, b: Any) -> Any:
    return None if a is None or not b else float(Fraction(a) / Fraction(b))


def rfm(draft: Draft) -> None:
    """One table or several, that without a name among them or not."""
    names = [""] if draft.chance(60) else draft.some(["", "brand_a", "x", "7"], least=1, most=3)
    draft.rules["rfm"] = {}
    for position, name in enumerate(names):
        if not position and "path" in draft.rules["customers"] and draft.chance(25):
            rfm_of_columns(draft, name)
        else:
            rfm_of_events(draft, name)


def rfm_of_events(draft: Draft, name: str) -> None:
    table = next(table for table in draft.events if table.amount)
    spec: Row = {"events": table.name}
    if draft.chance(40):
        spec |= event_where(draft, table)
    if draft.chance(50):
        spec |= window(draft)
    if draft.chance(20):
        spec["frequency"] = draft.pick(["days", "events"])
    if table.complete and draft.chance(50):
        spec["monetary"] = "mean"
    spec |= scoring(draft, name, spec)
    put_rfm(draft, name, spec, "mean" if "monetary" in spec else "money")


def rfm_of_columns(draft: Draft, name: str) -> None:
    """`[rfm.columns]`: the three values stand in the customer file; whole rows of them may be missing."""
    spec = draft.rules["customers"]
    table = draft.tables[spec["path"]]
    pools: dict[str, list[Any]] = {
        "last_seen": [0, 1, 10, 30, 31, 400], "orders_made": [1, 1, 2, 3, 50],
        "spent": list(map(Decimal, ("19.99", "0.1", "0.1", "-5", "0", "1000"))),
    }  # fmt: skip
    nothing = dict.fromkeys(pools)
    values = draft.rows(pools, len(table.rows))
    rows = [row | (nothing if draft.chance(10) else three) for row, three in zip(table.rows, values, strict=True)]
    spec["types"] |= dict.fromkeys(pools, "number")
    draft.tables[spec["path"]] = replace(table, rows=rows, kinds=table.kinds | dict.fromkeys(pools, "number"))
    draft.evaluation = None
    columns = {"recency_days": "last_seen", "frequency": "orders_made", "monetary": "spent"}
    table_of_columns: Row = {"columns": columns}
    put_rfm(draft, name, table_of_columns | scoring(draft, name, table_of_columns), "decimal")


def put_rfm(draft: Draft, name: str, spec: Row, monetary: str) -> None:
    draft.rules["rfm"] |= {name: spec} if name else spec
    for column in RFM_COLUMNS:
        kind = "text" if column in ("rfm_code", "rfm_segment") else "number"
        draft.compute(f"{name}_{column}" if name else column, monetary if column == "monetary" else kind)


def scoring(draft: Draft, name: str, values: Row) -> Row:
    """From the three values to scores and a segment."""
    spec: Row = {}
    bins = draft.pick([5, 5, 5, 5, 10, 10, 2, 3, 4, 6, 7, 8, 9])
    if bins != 5 or draft.chance(20):
        spec["bins"] = bins
    method = draft.pick(["quantile"] * 4 + ["nested"] * 4 + ["cutoffs"] * 2 + ["saved"] * 3)
    if method == "saved":
        spec |= saved(draft, name, values, bins)
    elif method == "cutoffs":
        rising = [0, 0, 1, 2, 5, 30, 90, Decimal("0.3"), Decimal("19.99"), 100]
        spec["method"] = "cutoffs"
        spec["cutoffs"] = {
            name: sorted(draft.pick(rising) for _ in range(bins - 1)) for name in ("recency", "frequency", "monetary")
        }
    else:
        if method == "nested" or draft.chance(20):
            spec["method"] = method
        if draft.chance(80):
            spec["ties"] = draft.pick(["low", "high", "split"])
    if draft.chance(40):
        if draft.chance(50):
            spec["map"] = draft.pick(["standard", "rf"])
        else:
            spec["segment"] = [own_map_row(draft, name, bins) for name in ("Best", "Étoile", "rest")]
    return spec


def saved(draft: Draft, name: str, values: Row, bins: int) -> Row:
    """A file of cutoffs, found on this day or on an earlier one, over all customers or one within the other."""
    day = draft.pick([draft.as_of, *(day for day in window_edges(draft) if day <= draft.as_of)])
    method, ties = draft.pick(["quantile", "nested"]), draft.pick(["low", "high"])
    tables = {path: table.rows for path, table in draft.tables.items()}
    then = Evaluation(draft.rules | {"as_of": day}, tables, draft.sql, draft.files)
    raw = then.raw_rfm(values)
    if not raw["frequency"]:
        return {}
    cutoffs = {measure: plain(spec) for measure, spec in saved_cutoffs(raw, bins, method, ties).items()}
    header = {"version": 1, "as_of": day, "customers": len(raw["frequency"]), "bins": bins, "method": method}
    path = f"{name or 'rfm'}.cutoffs.toml"
    draft.files[path] = header | {"ties": ties} | cutoffs
    return {"method": "cutoffs", "cutoffs": path}


def plain(value: Any) -> Any:
    """With floats as exact decimals."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def own_map_row(draft: Draft, name: str, bins: int) -> Row:
    row: Row = {"name": name}
    for score in "rfm":
        if draft.chance(60):
            pair = ordered_pair(draft, list(range(1, bins + 1)))
            row[score] = pair[0] if draft.chance(40) else pair
    return row


# --- Stages, scores, value ----------------------------------------------------------------------------------------


def lifecycle(draft: Draft) -> None:
    if draft.events and draft.chance(70):
        spec = ready_made(draft)
    else:
        names = draft.some(["lead", "Étape 2", "prospect", "a|b", "customer", "-"], least=1, most=4)
        spec = {"stage": [{"name": name, **block(draft, list(draft.early), 1)} for name in names]}
        if draft.chance(30):
            spec["stage"][-1] = {"name": names[-1], "everyone": True}
    draft.rules["lifecycle"] = spec
    draft.compute("lifecycle", "text")


def ready_made(draft: Draft) -> Row:
    """The preset; none of its durations may be longer than the next."""
    spec: Row = {"events": draft.pick(draft.events).name}
    day = dt.date(2000, 1, 1)
    lengths = sorted((draft.pick(draft.durations) for _ in range(4)), key=lambda d: shift(day, d, -1), reverse=True)
    chosen = dict(zip(LIFECYCLE_DAYS, lengths, strict=True))
    given = {key: chosen[key] for key in draft.some(chosen)} if draft.chance(30) else chosen
    days = [shift(day, (LIFECYCLE_DAYS | given)[key], -1) for key in LIFECYCLE_DAYS]
    spec |= given if days == sorted(days, reverse=True) else chosen
    return spec | ({"loyal_from": draft.pick([1, 2, 3, 5])} if draft.chance(70) else {})


def score(draft: Draft) -> None:
    made = draft.rules.setdefault("score", {})
    name = ["lead", "churn-risk", "2nd"][len(made)]
    rules = [score_rule(draft) for _ in range(draft.pick([2, 1, 3, 4]))]
    spec: Row = {"rule": rules}
    if draft.chance(50):
        spec["max_score"] = draft.pick([10, 1, Decimal("37.5"), 1000, Decimal("0.25"), 100])
    grades = draft.some([80, 40, 0, 10, Decimal("0.5"), Decimal("12.25"), 5, 100], least=1, most=4)
    if draft.chance(70):
        spec["grades"] = dict(zip(["A", "b", "Très bon", "D"], grades, strict=False))
        draft.compute(f"{name}_grade", "text")
    made[name] = spec
    if any("points_per" in rule for rule in rules):
        kind = "decimal"  # up to ten decimals, so not what SQL goes on multiplying
    else:
        points = [rule["points"] for rule in rules] + [spec.get("max_score", 100)]
        kind = "number" if all(isinstance(one, int) for one in points) else "money"
    draft.compute(f"{name}_score", kind)


def score_rule(draft: Draft) -> Row:
    numbers = draft.names(*COUNTABLE)
    if numbers and draft.chance(40):
        per: Row = {
            "column": draft.pick(numbers),
            "points": draft.pick([1, 2, 10, -1, -3, Decimal("0.5"), Decimal("-0.01")]),
        }
        if draft.chance(60):
            per["max"] = draft.pick([1, 5, 20, Decimal("2.5")])
        rule: Row = {"points_per": per}
        return rule if draft.chance(50) else rule | for_whom(draft)
    points: list[int | Decimal] = [1, 5, 10, 25, 60, 0, -5, -20]
    points += [Decimal("0.5"), Decimal("12.25"), Decimal("-0.1")] if draft.chance(30) else []
    return {"points": draft.pick(points)} | for_whom(draft)


def for_whom(draft: Draft) -> Row:
    return {"everyone": True} if draft.chance(10) else block(draft, list(draft.early), 1)


def value(draft: Draft) -> None:
    table = draft.pick([table for table in draft.events if table.amount])
    spec: Row = {"events": table.name, **event_where(draft, table), **window(draft)}
    if draft.chance(70):
        spec["margin_percent"] = draft.pick([40, 0, 100, Decimal("33.3"), Decimal("0.5")])
        costs = draft.names("number", "decimal", "money")
        if costs and draft.chance(60):
            spec["cost"] = draft.pick(costs)
    draft.rules["value"] = spec
    for name, kind in zip(VALUE_COLUMNS, ("money", "number", "decimal", "decimal"), strict=True):
        if name != "profit" or "margin_percent" in spec:
            draft.compute(name, kind)


def early_segment(draft: Draft) -> None:
    name = f"e{len(draft.early) + 1}"
    draft.early[name] = block(draft, list(draft.early), 1)
    draft.rules["segment"][name] = draft.early[name]


# --- Segments -----------------------------------------------------------------------------------------------------


def block(draft: Draft, earlier: list[str], depth: int) -> Row:
    """A table of one to three criteria."""
    kinds = ["condition"] * 5 + ["did", "did_not"] * bool(draft.events)
    located = "latitude" in draft.rules["customers"]
    kinds += (
        (["near"] + ["inside"] * bool(draft.zones))
        * (5 if draft.about("places") and "stages" not in draft.parts else 1)
        if located
        else []
    )
    kinds += ["sql"] if "sql" in draft.parts else []
    kinds += ["rfm"] if "rfm_segment" in draft.pools else []
    kinds += ["lifecycle"] if "lifecycle" in draft.pools else []
    kinds += ["in_segment", "not_in_segment"] if earlier else []
    kinds += ["any", "all", "none"] if depth else []
    result: Row = {}
    for _ in range(draft.pick([1, 1, 1, 2, 3])):
        match draft.pick(kinds):
            case "condition":
                family_condition(draft, result)
            case "did" | "did_not" as key:
                specs = [event_condition(draft) for _ in range(draft.pick([1, 1, 2]))]
                single = len(specs) == 1 and draft.chance(70)
                result.setdefault(draft.behavioural, {})[key] = specs[0] if single else specs
            case "near":
                places = [near(draft) for _ in range(draft.pick([1, 2]))]
                result.setdefault("geographic", {})["near"] = places if len(places) > 1 else places[0]
            case "inside":
                result.setdefault("geographic", {})["inside"] = inside(draft)
            case "sql":
                result["sql"] = draft.add(sql_boolean(draft, sql_columns(draft)))
            case "rfm" if "rfm" not in result:
                names = ["champions", "loyal", "lost", "hibernating", "new", "at_risk", "Best", "other"]
                result["rfm"] = draft.pick(names) if draft.chance(50) else draft.some(names, least=1)
            case "lifecycle" if "lifecycle" not in result:
                names = list(dict.fromkeys(["prospect", "new", "lost", *present(draft.pools["lifecycle"])]))
                result["lifecycle"] = draft.pick(names) if draft.chance(50) else draft.some(names, least=1)
            case "in_segment" | "not_in_segment" as key:
                names = draft.some(earlier, least=1, most=2)
                result[key] = names[0] if len(names) == 1 and draft.chance(70) else names
            case "any" | "all" | "none" as key:
                result[key] = [block(draft, earlier, depth - 1) for _ in range(draft.pick([1, 2]))]
    return result or {"demographic": {next(iter(draft.columns)): {"missing": True}}}


def sql_columns(draft: Draft) -> dict[str, str]:
    return {name: kind for name, kind in draft.columns.items() if kind in (*ARITHMETIC, "text", "date", "boolean")}


def family_condition(draft: Draft, result: Row) -> None:
    kind = draft.pick(dict.fromkeys(draft.columns.values()))
    name = draft.pick(draft.names(kind))
    family = draft.pick([*FREE_FAMILIES, draft.behavioural])
    own = family_of(draft, name)
    if own and draft.chance(70):
        family = own
    if not isinstance(result.get(family, {}), dict):
        return
    result.setdefault(family, {})[name] = condition(draft, draft.columns[name], draft.pools[name])


def family_of(draft: Draft, name: str) -> str | None:
    """The family that takes nothing but the columns of the feature that computes this one."""
    if name in draft.rules.get("trait", {}):
        return None
    if name in {f"{prefix}{column}" for prefix in rfm_tables(draft.rules) for column in RFM_COLUMNS}:
        return "rfm"
    if name in VALUE_COLUMNS:
        return "value"
    if name == "lifecycle":
        return name
    return "score" if name.rpartition("_")[0] in draft.rules.get("score", {}) else None


def near(draft: Draft) -> Row:
    latitude, longitude = draft.pick(PLACES)
    km = draft.pick([1, 50, 400, 1000, Decimal("16000.5"), 20100])
    return {"latitude": literal(float(latitude)), "longitude": literal(float(longitude)), "km": km}


def event_condition(draft: Draft) -> Row:
    spec, kind = measured(draft, numeric=True)
    if draft.chance(15):
        unit = draft.pick(["week", "month", "quarter", "year"])
        for key in ("within", "between", "since", "before", "for"):
            spec.pop(key, None)
        spec |= {"in_each": unit, **draft.pick([{"within": f"3 {unit}s"}, {"between": [f"4 {unit}s", f"1 {unit}s"]}])}
    optional = spec.get("measure", "count") in (
        "count",
        "distinct",
        "active_days",
        "active_weeks",
        "active_months",
        "active_quarters",
    )
    if not optional or draft.chance(50):
        numbers = [0, 1, 2, 3, 5, 30, Decimal("0.3"), Decimal("19.99"), -10] if kind != "number" else [0, 1, 2, 3, 30]
        for name in draft.some(["is", "min", "max", "above", "below"], least=1, most=2):
            spec[name] = draft.pick(numbers)
    return spec


def segments(draft: Draft) -> None:
    names = [f"s{n}" for n in range(1, 1 + 40 if draft.parts in ({"blocks"}, {"time"}) else draft.pick([4, 8, 12, 16]))]
    made: dict[str, Row] = dict(draft.early)
    for name in names:
        segment = block(draft, list(made), 2 if "blocks" in draft.parts else 0)
        if draft.chance(10):
            segment = {"label": "Label é", **segment}
        if "assignment" in draft.parts:
            if draft.chance(15):
                segment["write"] = False
            elif draft.chance(15):
                columns = draft.names("text", "boolean")
                segment["each"] = draft.some(columns, least=1, most=2)
        made[name] = segment
    names = list(made)
    order = draft.shuffled(names) if draft.chance(50) else names
    draft.rules["segment"] = {name: made[name] for name in order}
    draft.rules["segment"]["zz-all"] = {"everyone": True}
    if "assignment" in draft.parts and draft.chance(40):
        draft.rules["assignment"] = {"mode": "exclusive"}
        written = [name for name in names if made[name].get("write", True)]
        if draft.chance(60) and written:
            draft.rules["assignment"]["priority"] = draft.some(written, least=1)
    each = [name for segment in made.values() for name in segment.get("each", [])]
    shown = [name for name in draft.computed if draft.columns[name] != "list"]
    draft.rules["output"] = {"columns": list(dict.fromkeys([*shown, *each, *draft.names("text")[:1]]))}
    if draft.chance(40):
        draft.rules["output"]["combined"] = "all.csv"


def drafted(draw: Any, parts: frozenset[str], days: list[dt.date]) -> Draft:
    seed = draw(st.integers(0, 2**64))
    draft = Draft(
        draw=draw if os.environ.get("SEGKIT_SHRINK") else None,
        random=random.Random(seed),
        parts=frozenset(parts),
        as_of=days[0],
        durations=[],
    )
    draft.as_of, draft.durations = draft.pick(days), draft.some(DURATIONS, least=2, most=4)
    return draft


@st.composite
def cases(draw: Any, parts: frozenset[str] = ALL) -> Case:
    """A valid rule file and its tables; `parts` are the parts of the grammar that it may use."""
    draft = drafted(draw, parts, LEAP_DAYS_AHEAD if parts == {"time"} else DAYS_OF_RUN)
    draft.durations += ["0 days", "1 day"] if parts == {"time"} else []
    draft.rules = {"version": 1, "as_of": draft.as_of}
    draft.behavioural = draft.pick(["behavioural"] * 4 + ["behavioral"])
    if draft.chance(30):
        draft.rules["timezone"] = draft.pick(["UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo"])
    if "sources" in parts and draft.chance(10):
        keys = keys_of(draft, draft.pick([1, 5, 12]))
        event_tables(draft, keys)
        customers_from(draft)
    else:
        keys = customers(draft, draft.pick([20, 25, 40] if len(parts) <= 2 else [8, 1, 2, 5, 13, 20, 24, 36]))
        if parts & {"traits", "rfm", "lookups", "stages", "value"}:
            event_tables(draft, keys)
    if "lookups" in parts and draft.chance(50 if "rfm" in parts else 100 if draft.about("places") else 90):
        lookups(draft)
    if "latitude" in draft.rules["customers"] and "places" in parts:
        zones(draft)
    draft.rules["segment"] = {}
    draft.know()
    for feature in draft.shuffled(features(draft)):
        feature(draft)
        draft.know()
    segments(draft)
    return Case(draft.rules, draft.tables, draft.sql, draft.columns, dotted=draft.chance(60), files=draft.files)


def features(draft: Draft) -> list[Callable[[Draft], None]]:
    """What computes columns, each over those that are there by then."""
    parts, single = draft.parts, len(draft.parts) <= 3
    found: list[Callable[[Draft], None]] = []
    if "traits" in parts:
        found += [traits, *([few_traits] if draft.chance(40) and not single else [])]
    elif single and parts & {"time", "stages", "value"}:
        found += [few_traits]
    if "rfm" in parts and (single or draft.chance(50)):
        found += [rfm]
    if "value" in parts and (single or draft.chance(40)):
        found += [value]
    if "stages" in parts and (single or draft.chance(50)):
        found += [lifecycle, *[score] * draft.pick([1, 2, 3]), early_segment]
    if "lookups" in parts and draft.chance(20) and draft.names("text"):
        found += [notes_lookup]
    return found


def few_traits(draft: Draft) -> None:
    traits(draft, most=2)


@dataclass(frozen=True)
class Saved:
    """A case that scores with `rfm.cutoffs.toml`, and how `segkit rfm` is to make that from the orders of a day."""

    case: Case
    day: dt.date
    bins: int
    method: str
    ties: str


@st.composite
def saved_cases(draw: Any) -> Saved:
    """Orders with many equal values, cut on one day and scored on another."""
    draft = drafted(draw, frozenset({"rfm"}), DAYS_OF_RUN)
    draft.durations = ["30 days", "3 months", "1 year"]
    day = draft.pick([draft.as_of, shift(draft.as_of, "30 days", -1), shift(draft.as_of, "3 months", -1)])
    keys = [f"c{n}" for n in range(draft.pick([12, 1, 5, 25]))]
    pools: dict[str, list[Any]] = {
        "customer_id": [*keys, *keys[:2], None], "order_date": [*window_edges(draft), None],
        "order_id": ["o1", "o2", "o3", "o40", *(f"o{n}" for n in range(100, 130))], "line_total": present(AMOUNTS),
    }  # fmt: skip
    kinds = {"customer_id": "key", "order_date": "date", "order_id": "text", "line_total": "money"}
    rows = draft.rows(pools, draft.pick([30, 10, 90]))
    rows[0] |= {"customer_id": keys[0], "order_date": day}
    source = {"path": "orders.csv", "time": "order_date", "id": "order_id", "amount": "line_total"}
    rules: Row = {
        "version": 1,
        "as_of": draft.as_of,
        "customers": {"from": "orders", "key": "customer_id"},
        "events": {"orders": source | {"types": {"order_date": "date", "order_id": "text"}}},
        "rfm": {"events": "orders", "method": "cutoffs", "cutoffs": "rfm.cutoffs.toml"},
        "segment": {"zz-all": {"everyone": True}, "best": {"rfm": {"r_score": {"min": 2}, "m_score": {"min": 2}}}},
        "output": {"columns": list(RFM_COLUMNS)},
    }
    case = Case(rules, {"orders.csv": Table(rows, kinds)}, dotted=draft.chance(60))
    return Saved(
        case=case,
        day=day,
        bins=draft.pick([5, 2, 3, 10]),
        method=draft.pick(["nested", "quantile"]),
        ties=draft.pick(["low", "high"]),
    )


def customers_from(draft: Draft) -> None:
    """`[customers] from = "orders"`: the keys and latest known values of the event table."""
    table = draft.events[0]
    names = ["product", *draft.some(name for name in table.columns if name != "product")]
    spec: Row = {"from": "orders", "key": "customer_id", "columns": names}
    draft.rules["customers"] = spec
    draft.columns = {name: table.columns[name] for name in names}
    draft.computed = list(names)
