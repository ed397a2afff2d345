"""An independent evaluation of a rule file: plain Python, one customer at a time, written from the contract.

It is slow and obvious on purpose. It takes the rule file as the nested dict that a TOML reader gives (numbers as
`int` or `Decimal`) and the tables as lists of dicts of parsed values (`str`, `int`, `Decimal`, `bool`, `date`,
`datetime`, `None`), other files (zones, saved cutoffs) as the nested dict that a reader gives. SQL is not parsed: every
SQL text of the rule file comes with a Python function of a row.

Not covered: expect and predictions, which have tests of their own. A new feature is a branch in `Evaluation.feature`;
who of those that match is written is in `gates.py` beside this, a new gate a step there.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]

EARTH_RADIUS_KM = 6371.0088

FAMILIES = {
    "demographic", "geographic", "psychographic", "behavioural", "behavioral", "technographic", "firmographic",
    "needs", "rfm", "lifecycle", "value", "score",
}  # fmt: skip
BLOCK_SETTINGS = {
    "label", "everyone", "write", "each", "name", "points", "points_per",
    "channel", "sample", "limit", "holdout", "control", "split", "salt", "expect",
}  # fmt: skip
SHORT_FORMS = {"rfm": "rfm_segment", "lifecycle": "lifecycle"}
RESULT_OPERATORS = {"is", "min", "max", "above", "below"}
RFM_COLUMNS = (
    "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_code", "rfm_segment",
)  # fmt: skip
RFM_KEYS = {
    "events", "where", "columns", "bins", "method", "cutoffs", "ties", "monetary", "frequency", "map", "segment",
    "within", "between", "since", "before", "for",
}  # fmt: skip
VALUE_COLUMNS = ("revenue", "order_count", "average_order_value", "profit")
LIFECYCLE_DAYS = {
    "new_for": "30 days", "at_risk_after": "90 days", "inactive_after": "180 days", "lost_after": "365 days",
}  # fmt: skip

STANDARD_MAP = """
champions 555 554 544 545 454 455 445
loyal 543 444 435 355 354 345 344 335
potential_loyalist 553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323
new 512 511 422 421 412 411 311
promising 525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313
need_attention 535 534 443 434 343 334 325 324
about_to_sleep 331 321 312 221 213 231 241 251
at_risk 255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124
cant_lose 155 154 144 214 215 115 114 113
hibernating 332 322 233 232 223 222 132 123 122 212 211
lost 111 112 121 131 141 151
"""
RF_MAP = """
hibernating 12 12
at_risk 12 34
cant_lose 12 5
about_to_sleep 3 12
need_attention 3 3
loyal 34 45
promising 4 1
new 5 1
potential_loyalist 45 23
champions 5 45
"""


Peers = Callable[[list[str]], list[Any]]
"""Columns -> the values of the customers who have the same in these columns."""


@dataclass(frozen=True)
class Sql:
    """A SQL text of the rule file, the columns that it reads, and what it means."""

    text: str
    columns: frozenset[str]
    value: Callable[[Row], Any]


@dataclass(frozen=True)
class Event:
    """One row of an event table; rows of one customer with one id are one event."""

    key: str
    time: date
    id: Any
    row: int
    values: Row

    @property
    def position(self) -> tuple[date, bool, Any, int]:
        """The order of events: time, id (missing ones first), row."""
        return (self.time, self.id is not None, "" if self.id is None else self.id, self.row)


@dataclass
class Outcome:
    """What a run must give. Columns are lists beside `keys`; `written` is keyed by segment and `each` values."""

    keys: list[str]
    columns: dict[str, list[Any]] = field(default_factory=dict)
    criteria: dict[str, set[str]] = field(default_factory=dict)
    claimed: dict[str, set[str]] = field(default_factory=dict)
    written: dict[str, dict[tuple[Any, ...], set[str]]] = field(default_factory=dict)
    unmatched_tables: list[str] = field(default_factory=list)
    shared_out: dict[str, dict[str | None, int]] = field(default_factory=dict)  # stages and grades: customers of each

    def members(self, segment: str) -> set[str]:
        """Every customer written to this segment, whatever the `each` values."""
        return set().union(*self.written[segment].values())


def evaluate(
    rules: Row,
    tables: Mapping[str, list[Row]],
    sql: Mapping[str, Sql] | None = None,
    files: Mapping[str, Row] | None = None,
) -> Outcome:
    """Evaluate the whole rule file; `tables` and `files` by the path that the rule file names."""
    return Evaluation(rules, tables, sql or {}, files or {}).outcome()


# --- Time ---------------------------------------------------------------------------------------------------------


def add_months(day: date, months: int) -> date:
    """The same day `months` later; a month without that day gives its last day."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    last_day = (first_of_next - timedelta(days=1)).day
    return date(year, month, min(day.day, last_day))


def shift(day: date, duration: str, sign: int) -> date:
    """`day` plus (sign 1) or minus (sign -1) a duration such as "3 months"."""
    number, unit = duration.split()
    count = sign * int(number)
    match unit.removesuffix("s"):
        case "day":
            return day + timedelta(days=count)
        case "week":
            return day + timedelta(days=7 * count)
        case "month":
            return add_months(day, count)
        case "quarter":
            return add_months(day, 3 * count)
        case "year":
            return add_months(day, 12 * count)
    raise AssertionError(f"unknown unit in {duration!r}")


def anniversary_in(day: date, year: int) -> date:
    """The anniversary of `day` in `year`; 29 February is 1 March in a year that has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def next_anniversary(day: date, as_of: date) -> date:
    this_year = anniversary_in(day, as_of.year)
    return this_year if this_year >= as_of else anniversary_in(day, as_of.year + 1)


def full_years(day: date, as_of: date) -> int:
    return as_of.year - day.year - (anniversary_in(day, as_of.year) > as_of)


def to_date(value: Any, zone: ZoneInfo) -> Any:
    """A timestamp as a date: a zoned one in the rule file's timezone, a naive one as it stands."""
    if not isinstance(value, datetime):
        return value
    return (value.astimezone(zone) if value.tzinfo else value).date()


# --- Values and conditions ----------------------------------------------------------------------------------------


def is_missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1. Numbers are exact; a computed float (a mean) meets a number of the file as a float."""
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    return int(left > right) - int(left < right)


def same(left: Any, right: Any) -> bool:
    return compare(left, right) == 0


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def percent_of(percent: Any, count: int) -> int:
    """`percent` of `count`, rounded up."""
    return math.ceil(Fraction(percent) * count / 100)


def text_operator(name: str, value: str, pattern: str, ignore_case: bool) -> bool:
    if name == "matches":
        return re.search(pattern, value, re.IGNORECASE if ignore_case else 0) is not None
    if ignore_case:
        value, pattern = value.lower(), pattern.lower()
    match name:
        case "contains":
            return pattern in value
        case "starts_with":
            return value.startswith(pattern)
        case "ends_with":
            return value.endswith(pattern)
    raise AssertionError(name)


def operator(name: str, value: Any, wanted: Any, as_of: date, peers: Peers, ignore_case: bool) -> bool:
    """Whether one operator holds for a value that is not missing."""

    def equal(other: Any) -> bool:
        if ignore_case:
            return bool(value.lower() == other.lower())
        return same(value, other)

    match name:
        case "is":
            return equal(wanted)
        case "not":
            return not equal(wanted)
        case "in":
            return any(equal(one) for one in wanted)
        case "not_in":
            return not any(equal(one) for one in wanted)
        case "min":
            return compare(value, wanted) >= 0
        case "max":
            return compare(value, wanted) <= 0
        case "above" | "after":
            return compare(value, wanted) > 0
        case "below" | "before":
            return compare(value, wanted) < 0
        case "on":
            return same(value, wanted)
        case "between":
            return compare(value, wanted[0]) >= 0 and compare(value, wanted[1]) <= 0
        case "contains" | "starts_with" | "ends_with" | "matches":
            return any(text_operator(name, value, one, ignore_case) for one in as_list(wanted))
        case "not_contains" | "not_starts_with" | "not_ends_with" | "not_matches":
            plain = name.removeprefix("not_")
            return not any(text_operator(plain, value, one, ignore_case) for one in as_list(wanted))
        case "within":
            return bool(shift(as_of, wanted, -1) <= value <= as_of)
        case "not_within":
            return not shift(as_of, wanted, -1) <= value <= as_of
        case "older_than":
            return bool(value < shift(as_of, wanted, -1))
        case "within_next":
            return bool(as_of <= value <= shift(as_of, wanted, 1))
        case "anniversary_within":
            return next_anniversary(value, as_of) <= shift(as_of, wanted, 1)
        case "has_any":
            return any(one in value for one in as_list(wanted))
        case "has_all":
            return all(one in value for one in as_list(wanted))
        case "has_none":
            return not any(one in value for one in as_list(wanted))
        case "top_percent":
            percent, population = share(wanted, peers)
            rank = 1 + sum(compare(other, value) > 0 for other in population)
            return rank <= percent_of(percent, len(population))
        case "bottom_percent":
            percent, population = share(wanted, peers)
            rank = lowest_rank(value, population)
            return rank <= percent_of(percent, len(population))
    raise AssertionError(f"unknown operator {name!r}")


def share(wanted: Any, peers: Peers) -> tuple[Any, list[Any]]:
    """The percentage, and the values of those among whom a customer is ranked."""
    if isinstance(wanted, dict):
        return wanted["percent"], peers(as_list(wanted.get("per", [])))
    return wanted, peers([])


def lowest_rank(value: Any, population: list[Any]) -> int:
    """The place of a value from below; equal values have the first of their places."""
    return 1 + sum(compare(other, value) < 0 for other in population)


def condition(value: Any, wanted: Any, as_of: date, peers: Peers = lambda per: []) -> bool:
    """Whether a condition of the rule file holds for a value; `peers` gives the values of customers who are alike."""
    if isinstance(wanted, list):
        wanted = {"in": wanted}
    elif not isinstance(wanted, dict):
        wanted = {"is": wanted}
    operators = {name: operand for name, operand in wanted.items() if name not in _MODIFIERS}
    if is_missing(value):
        return wanted.get("missing") is True or wanted.get("or_missing") is True
    if wanted.get("missing") is True:
        return False
    ignore_case = wanted.get("ignore_case", False)
    whole = {name: trimmed(operand) for name, operand in operators.items() if name in ("is", "not", "in", "not_in")}
    return all(
        operator(name, value, operand, as_of, peers, ignore_case) for name, operand in (operators | whole).items()
    )


def trimmed(operand: Any) -> Any:
    """What a whole text is compared with has no white space around it, as the text has none."""
    if isinstance(operand, list):
        return [trimmed(one) for one in operand]
    return operand.strip() if isinstance(operand, str) else operand


_MODIFIERS = {"missing", "or_missing", "ignore_case"}


def distance_km(latitude: Any, longitude: Any, other_latitude: Any, other_longitude: Any) -> float:
    """Great-circle distance (haversine)."""
    a, b, c, d = (math.radians(float(x)) for x in (latitude, longitude, other_latitude, other_longitude))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


def on_the_map(latitude: Any, longitude: Any) -> bool:
    """Whether there can be a place with these coordinates."""
    return latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180


def in_ring(x: Fraction, y: Fraction, ring: list[list[float]]) -> int:
    """1 inside, 0 on the border, -1 outside; exact, whichever way the ring turns."""
    inside = False
    points = [(Fraction(float(a)), Fraction(float(b))) for a, b in ring]
    for (x1, y1), (x2, y2) in pairwise(points):
        side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if side == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return 0
        if (y1 <= y < y2 and side > 0) or (y2 <= y < y1 and side < 0):  # the edge crosses the ray to the east
            inside = not inside
    return 1 if inside else -1


def in_geometry(x: Fraction, y: Fraction, geometry: Row | None) -> bool:
    """Whether a point is in a GeoJSON geometry or on its border; points and lines have no inside."""
    if geometry is None:
        return False
    match geometry["type"]:
        case "Polygon":
            outer, *holes = geometry["coordinates"]
            return in_ring(x, y, outer) >= 0 and not any(in_ring(x, y, hole) > 0 for hole in holes)
        case "MultiPolygon":
            return any(in_geometry(x, y, {"type": "Polygon", "coordinates": c}) for c in geometry["coordinates"])
        case "GeometryCollection":
            return any(in_geometry(x, y, one) for one in geometry["geometries"])
    return False


def features_of(geojson: Row) -> list[Row]:
    if geojson["type"] == "FeatureCollection":
        return list(geojson["features"])
    return [geojson if geojson["type"] == "Feature" else {"properties": None, "geometry": geojson}]


# --- Measures over the events of one customer ---------------------------------------------------------------------


def grouped(rows: list[Event]) -> list[list[Event]]:
    """The events among one customer's rows: rows with one id together, a row without id alone."""
    events: dict[Any, list[Event]] = {}
    for event in rows:
        events.setdefault(("row", event.row) if event.id is None else ("id", event.id), []).append(event)
    return list(events.values())


def present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if not is_missing(value)]


def exact_sum(values: Iterable[Any]) -> Decimal:
    return sum((Decimal(value) for value in values), Decimal(0))


def exact_mean(values: list[Any]) -> float | None:
    """The double nearest to the mean."""
    return float(Fraction(exact_sum(values)) / len(values)) if values else None


def amounts(rows: list[Event], column: str, per: str) -> list[Decimal]:
    """One amount an event: what is left of it, summed; or, where each line repeats the total, that total."""
    found = []
    for lines in grouped(rows):
        values = present(line.values.get(column) for line in lines)
        if values:
            found.append(Decimal(values[0]) if per == "event" else exact_sum(values))
    return found


def measure(rows: list[Event], spec: Row, source: Row, as_of: date) -> Any:
    """The measure of a trait over the rows that its window and `where` left of one customer."""
    name = spec.get("measure", "count")
    match name:
        case "count":
            return len(grouped(rows))
        case "active_days":
            return len({event.time for event in rows})
        case "active_weeks":
            return len({event.time.isocalendar()[:2] for event in rows})
        case "active_months":
            return len({(event.time.year, event.time.month) for event in rows})
        case "active_quarters":
            return len({(event.time.year, (event.time.month - 1) // 3) for event in rows})
        case "gap_mean" | "gap_median":
            days = sorted({event.time for event in rows})
            gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
            if not gaps:
                return None
            return float(Fraction(sum(gaps), len(gaps))) if name == "gap_mean" else float(middle(gaps))
        case "nth":
            return nth(rows, spec, source)
        case "days_since_first":
            return (as_of - min(event.time for event in rows)).days if rows else None
        case "days_since_last":
            return (as_of - max(event.time for event in rows)).days if rows else None
        case "first" | "last":
            if not rows:
                return None
            pick = min if name == "first" else max
            event = pick(rows, key=lambda event: event.position)
            of: Any = spec.get("of", source["time"])
            return event.time if of == source["time"] else event.values.get(of)
        case "distinct":
            return len(set(present(event.values.get(spec["of"]) for event in rows)))
        case "most_frequent":
            return most_frequent(rows, spec["of"])
    of = spec.get("of", source.get("amount"))
    if of == source.get("amount"):
        values = amounts(rows, of, source.get("amount_per", "row"))
    else:
        values = present(event.values.get(of) for event in rows)
    match name:
        case "sum":
            return exact_sum(values)
        case "mean":
            return exact_mean(values)
        case "median":
            return float(middle(sorted(Decimal(value) for value in values))) if values else None
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
    raise AssertionError(f"unknown measure {name!r}")


def middle(values: Sequence[Any]) -> Fraction:
    """The mean of the two values in the middle of some that are in order."""
    size = len(values)
    return (Fraction(values[(size - 1) // 2]) + Fraction(values[size // 2])) / 2


def first_day(event: list[Event]) -> date:
    return min(row.time for row in event)


def nth(rows: list[Event], spec: Row, source: Row) -> Any:
    """A value of the nth event; events are in the order of their first rows."""
    events = sorted(grouped(rows), key=lambda event: min(row.position for row in event))
    n = spec["n"]
    if abs(n) > len(events):
        return None
    pick = min if n > 0 else max
    row = pick(events[n - 1 if n > 0 else n], key=lambda row: row.position)
    of = spec.get("of", source["time"])
    return row.time if of == source["time"] else row.values.get(of)


def most_frequent(rows: list[Event], of: str) -> Any:
    known = [event for event in rows if not is_missing(event.values.get(of))]
    values = [event.values[of] for event in known]
    if not known:
        return None
    often = max(values.count(value) for value in values)
    candidates = [event for event in known if values.count(event.values[of]) == often]
    return max(candidates, key=lambda event: event.position).values[of]


# --- RFM ----------------------------------------------------------------------------------------------------------


def quantile_scores(values: Mapping[str, Any], bins: int, ties: str, descending: bool = False) -> dict[str, int]:
    """Scores 1..bins by key, from the ranks of the values."""
    total = len(values)
    order = sorted(sorted(values), key=lambda key: values[key], reverse=descending)  # equal values: by key
    ranked = [values[key] for key in order]
    scores = {}
    for position, key in enumerate(order, start=1):
        lowest = 1 + ranked.index(values[key])
        highest = lowest + ranked.count(values[key]) - 1
        match ties:
            case "low":
                scores[key] = (lowest - 1) * bins // total + 1
            case "high":
                scores[key] = (highest * bins + total - 1) // total
            case "split":
                scores[key] = (position - 1) * bins // total + 1
    return scores


def cutoff_scores(values: Mapping[str, Any], cutoffs: list[Any], bins: int, descending: bool) -> dict[str, int]:
    reached = {key: sum(compare(value, cut) >= 0 for cut in cutoffs) for key, value in values.items()}
    return {key: bins - count if descending else 1 + count for key, count in reached.items()}


def nested_scores(raw: Mapping[str, Mapping[str, Any]], bins: int, ties: str) -> dict[str, dict[str, int]]:
    """Frequency is ranked within each recency score, monetary within each recency and frequency score."""
    scores: dict[str, dict[str, int]] = {}
    for name, values in raw.items():
        groups: dict[tuple[int, ...], dict[str, Any]] = {}
        for key, value in values.items():
            groups.setdefault(tuple(outer[key] for outer in scores.values()), {})[key] = value
        scores[name] = {}
        for group in groups.values():
            scores[name] |= quantile_scores(group, bins, ties, name == "recency_days")
    return scores


def saved_cutoffs(raw: Mapping[str, Mapping[str, Any]], bins: int, method: str, ties: str) -> dict[str, Row]:
    """Cuts as a file keeps them, from the order statistics: of all customers, or of each group that scores alike."""
    found: dict[str, Row] = {}
    scores = nested_scores(raw, bins, ties)
    for depth, (name, values) in enumerate(raw.items()):
        falling = name == "recency_days"
        groups: dict[tuple[int, ...], list[Any]] = {}
        for key, value in values.items():
            outer = tuple(scores[other][key] for other in list(raw)[:depth]) if method == "nested" else ()
            groups.setdefault(outer, []).append(value)
        cuts = {}
        for outer, group in sorted(groups.items()):
            s, total = sorted(group, reverse=falling), len(group)
            low = [s[math.ceil(Fraction(k * total, bins)) - 1] for k in range(1, bins)]
            cuts[outer] = sorted(low if ties == "low" else [s[k * total // bins] for k in range(1, bins)])
        operator = ("<" if falling else ">") + ("=" if ties == "high" else "")
        found[name.removesuffix("_days")] = {"operator": operator} | (
            {"within": [{**dict(zip("rf", outer, strict=False)), "cuts": one} for outer, one in cuts.items()]}
            if method == "nested" and depth
            else {"cuts": cuts[()]}
        )
    return found


def saved_scores(raw: Mapping[str, Mapping[str, Any]], saved: Row) -> dict[str, dict[str, int]]:
    """1 + the number of saved cuts that a value passes; whose group was never saved scores 1."""
    passes: dict[str, Callable[[int], bool]] = {
        "<": lambda order: order < 0, "<=": lambda order: order <= 0, ">": lambda order: order > 0,
        ">=": lambda order: order >= 0,
    }  # fmt: skip
    scores: dict[str, dict[str, int]] = {}
    for name, values in raw.items():
        spec = saved[name.removesuffix("_days")]
        within = {tuple(one[k] for k in "rf" if k in one): one["cuts"] for one in spec.get("within", [])}
        mine: dict[str, int] = {}
        for key, value in values.items():
            outer = tuple(other[key] for other in scores.values())
            cuts = within.get(outer, []) if within else spec["cuts"]
            mine[key] = 1 + sum(passes[spec["operator"]](compare(value, cut)) for cut in cuts)
        scores[name] = mine
    return scores


def ten_decimals(value: Any) -> Decimal:
    """Exact decimals have ten places; what lies between two goes to the even one."""
    return Decimal(round(Fraction(value) * 10**10)).scaleb(-10)


def shortest(value: Any) -> Any:
    """A float as the decimals that it is written with."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def in_range(score: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    return bool(wanted[0] <= score <= wanted[1] if isinstance(wanted, list) else score == wanted)


def rfm_tables(rules: Row) -> dict[str, Row]:
    """What the names of its columns begin with -> the RFM table: the keys of `[rfm]` itself, and each `[rfm.NAME]`."""
    section: Row = rules.get("rfm", {})
    own = {key: value for key, value in section.items() if key in RFM_KEYS}
    named = {f"{key}_": value for key, value in section.items() if key not in RFM_KEYS}
    return ({"": own} if own else {}) | named


def rfm_name(r: int, f: int, m: int, bins: int, spec: Row) -> str:
    """The segment of three scores."""
    if "segment" in spec:
        for row in spec["segment"]:
            if in_range(r, row.get("r")) and in_range(f, row.get("f")) and in_range(m, row.get("m")):
                return str(row["name"])
        return "other"
    r, f, m = ((score * 5 + bins - 1) // bins for score in (r, f, m))
    if spec.get("map", "standard") == "rf":
        lines = (line.split() for line in RF_MAP.split("\n") if line)
        return next(name for name, rs, fs in lines if str(r) in rs and str(f) in fs)
    lines = (line.split() for line in STANDARD_MAP.split("\n") if line)
    return next(name for name, *codes in lines if f"{r}{f}{m}" in codes)


# --- The evaluation -----------------------------------------------------------------------------------------------


class Evaluation:
    """One rule file over its tables. Columns are computed when they are asked for."""

    def __init__(
        self, rules: Row, tables: Mapping[str, list[Row]], sql: Mapping[str, Sql], files: Mapping[str, Row]
    ) -> None:
        self.rules = rules
        self.tables = tables
        self.sql = sql
        self.files = files
        self.as_of: date = rules["as_of"]
        self.zone = ZoneInfo(rules.get("timezone", "UTC"))
        self.events: dict[str, list[Event]] = {}
        self.columns: dict[str, list[Any]] = {}
        self.criteria: dict[str, list[bool]] = {}
        self.customers = self.read_customers()
        self.keys = [row[self.key_column] for row in self.customers]
        self.position = {key: position for position, key in enumerate(self.keys)}
        for name in rules.get("events", {}):
            self.events[name] = self.read_events(name)
        for lookup in rules.get("lookup", {}).values():
            if lookup.get("into", "customers") != "customers":
                self.join(lookup, [event.values for event in self.events[lookup["into"]]])

    # Sources

    @property
    def key_column(self) -> str:
        return str(self.rules["customers"]["key"])

    def read(self, spec: Row, filtered: bool = True) -> list[Row]:
        """The rows of a source: renamed, text trimmed, timestamps as dates, empty text missing, derived, and `where` kept."""
        old_to_new = {old: new for new, old in spec.get("rename", {}).items()}
        rows = []
        for raw in self.tables[spec["path"]]:
            row = {old_to_new.get(name, name): value for name, value in raw.items()}
            row = {name: value.strip() if isinstance(value, str) else value for name, value in row.items()}
            row = {name: None if is_missing(value) else to_date(value, self.zone) for name, value in row.items()}
            for name, text in spec.get("derive", {}).items():
                row[name] = self.run_sql(text, row)
            if not filtered or self.keeps(spec, row):
                rows.append(row)
        return rows

    def keeps(self, spec: Row, row: Row) -> bool:
        return all(condition(row.get(name), wanted, self.as_of) for name, wanted in spec.get("where", {}).items())

    def run_sql(self, text: str, row: Row) -> Any:
        return self.sql[text].value({**row, "as_of": self.as_of})

    @staticmethod
    def key_text(value: Any) -> str | None:
        """The key as trimmed text; a whole number that came as a float loses its `.0`; empty is missing."""
        if value is None:
            return None
        if isinstance(value, float) and value == int(value):
            value = int(value)
        return str(value).strip() or None

    def read_customers(self) -> list[Row]:
        spec = self.rules["customers"]
        if "from" in spec:
            return self.customers_from_events(spec)
        by_key: dict[str, Row] = {}
        for row in self.read(spec):
            key = self.key_text(row[spec["key"]])
            if key is None:
                continue
            row[spec["key"]] = key
            for column, separator in spec.get("lists", {}).items():
                if row.get(column) is not None:
                    row[column] = [item.strip() for item in row[column].split(separator) if item.strip()] or None
            duplicates = spec.get("duplicates", "error")
            assert key not in by_key or duplicates != "error", f"customer {key} comes twice"
            if key not in by_key or duplicates == "last":
                by_key.pop(key, None)
                by_key[key] = row
        return list(by_key.values())

    def customers_from_events(self, spec: Row) -> list[Row]:
        """One customer of each key, with the latest known value of some columns, among the events that are kept."""
        events = self.read_events(spec["from"])
        rows: dict[str, Row] = {event.key: {spec["key"]: event.key} for event in events}
        for event in sorted(events, key=lambda event: event.position):
            for column in spec.get("columns", []):
                rows[event.key].setdefault(column, None)
                if event.values.get(column) is not None:
                    rows[event.key][column] = event.values[column]
        return list(rows.values())

    def source(self, name: str) -> Row:
        """The keys of an event table, those of `like` included."""
        spec = self.rules["events"][name]
        return {**self.source(spec["like"]), **spec} if "like" in spec else spec

    def read_events(self, name: str) -> list[Event]:
        """The rows that have a key and a time, that exist on `as_of`, and that `where` keeps."""
        spec = self.source(name)
        key = spec.get("key", self.key_column)
        events = []
        for number, row in enumerate(self.read(spec, filtered=False)):
            customer, time = self.key_text(row[key]), row[spec["time"]]
            if customer is None or time is None or time > self.as_of:
                continue
            if not self.keeps(spec, row):
                continue
            events.append(
                Event(key=customer, time=time, id=row.get(spec["id"]) if "id" in spec else None, row=number, values=row)
            )
        return events

    def join(self, lookup: Row, rows: list[Row]) -> None:
        """Add the columns of the reference row that matches, or missing values."""
        pairs = self.pairs(lookup)
        columns, found = self.reference(lookup)
        for row in rows:
            match = found.get(tuple(self.key_text(row[left]) for left in pairs), {})
            row.update({column: match.get(column) for column in columns})

    def joined(self, lookup: Row) -> dict[str, list[Any]]:
        """The columns that a lookup adds to the customers, whatever gives the columns that it is joined by."""
        columns, found = self.reference(lookup)
        own = [self.column(left) for left in self.pairs(lookup)]
        matches = [found.get(tuple(map(self.key_text, values)), {}) for values in zip(*own, strict=True)]
        return {column: [match.get(column) for match in matches] for column in columns}

    @staticmethod
    def pairs(lookup: Row) -> dict[str, str]:
        return lookup["on"] if isinstance(lookup["on"], dict) else {lookup["on"]: lookup["on"]}

    def reference(self, lookup: Row) -> tuple[list[str], dict[tuple[Any, ...], Row]]:
        """The columns that a lookup adds, and its rows by their keys, which are never missing."""
        pairs = self.pairs(lookup)
        reference: list[Row] = []
        for row in self.read(lookup):
            exploded = [row]
            for column, separator in lookup.get("explode", {}).items():
                exploded = [
                    {**one, column: None if one[column] is None else item.strip()}
                    for one in exploded
                    for item in (one[column] or "").split(separator)
                ]
            reference.extend(exploded)
        if "by" in lookup:  # a stable sort: of equal values the first row stays first
            by = lookup["by"]
            known = sorted((row for row in reference if row[by] is not None), key=lambda row: row[by], reverse=True)
            reference = known + [row for row in reference if row[by] is None]
        columns = lookup.get("columns") or [name for name in reference[0] if name not in pairs.values()]
        found: dict[tuple[Any, ...], Row] = {}
        for row in reference:
            values = tuple(self.key_text(row[right]) for right in pairs.values())
            if None not in values:
                assert values not in found or lookup.get("duplicates") == "first", f"{values} comes twice"
                found.setdefault(values, row)
        return columns, found

    # Columns

    def column(self, name: str) -> list[Any]:
        """One value a customer, in the order of `keys`."""
        if name not in self.columns:
            self.columns.update(self.feature(name))
        return self.columns[name]

    def feature(self, name: str) -> dict[str, list[Any]]:
        if name in self.rules.get("trait", {}):
            return {name: self.trait(self.rules["trait"][name])}
        for prefix, spec in rfm_tables(self.rules).items():
            if name in (names := {f"{prefix}{column}": column for column in RFM_COLUMNS}):
                columns = self.rfm(spec)
                return {new: columns[column] for new, column in names.items()}
        if "value" in self.rules and name in VALUE_COLUMNS:
            return self.value(self.rules["value"])
        if "lifecycle" in self.rules and name == "lifecycle":
            return {name: self.lifecycle(self.rules["lifecycle"])}
        for score, spec in self.rules.get("score", {}).items():
            if name == f"{score}_score":
                return {name: self.score(spec)}
            if name == f"{score}_grade":
                return {name: [grade_of(spec["grades"], points) for points in self.column(f"{score}_score")]}
        if not self.customers or name in self.customers[0]:
            return {name: [row[name] for row in self.customers]}
        for lookup in self.rules["lookup"].values():
            if lookup.get("into", "customers") == "customers" and name in self.reference(lookup)[0]:
                return self.joined(lookup)
        raise AssertionError(f"unknown column {name!r}")

    def row(self, position: int, columns: Iterable[str]) -> Row:
        return {name: self.column(name)[position] for name in columns if name != "as_of"}

    def run_customer_sql(self, text: str) -> list[Any]:
        columns = self.sql[text].columns
        return [self.run_sql(text, self.row(position, columns)) for position in range(len(self.keys))]

    def trait(self, spec: Row) -> list[Any]:
        if "events" in spec:
            source = self.source(spec["events"])
            return [self.measured(rows, spec, source) for rows in self.selected_events(spec)]
        if "years_since" in spec:
            dates = self.column(spec["years_since"])
            return [None if day is None else full_years(day, self.as_of) for day in dates]
        if "days_since" in spec:
            return [None if day is None else (self.as_of - day).days for day in self.column(spec["days_since"])]
        if "sql" in spec:
            return self.run_customer_sql(spec["sql"])
        if "mean_of" in spec:
            others = self.alike(spec["mean_of"], as_list(spec.get("per", [])))
            return [exact_mean([ten_decimals(shortest(value)) for value in values]) for values in others]
        bands = spec["bands"]
        if "quantiles" in bands:
            return self.quantile_bands(bands)
        return [
            None if value is None else bands["labels"][sum(compare(value, edge) >= 0 for edge in bands["edges"])]
            for value in self.column(bands["of"])
        ]

    def quantile_bands(self, spec: Row) -> list[Any]:
        """The formula of the contract: (rank - 1) * n div N + 1."""
        bands: list[Any] = []
        count = spec["quantiles"]
        others = self.alike(spec["of"], as_list(spec.get("per", [])))
        for value, population in zip(self.column(spec["of"]), others, strict=True):
            if is_missing(value):
                bands.append(None)
                continue
            band = (lowest_rank(value, population) - 1) * count // len(population) + 1
            bands.append(spec["labels"][band - 1] if "labels" in spec else band)
        return bands

    def alike(self, of: str, per: list[str]) -> list[list[Any]]:
        """For each customer, the values of those who have the same in all of these columns; nothing is the same, too."""
        groups = [tuple(None if is_missing(one) else one for one in ones) for ones in self.rows_of(per)]
        values = self.column(of)
        return [present(value for value, group in zip(values, groups, strict=True) if group == mine) for mine in groups]

    def rows_of(self, columns: list[str]) -> list[tuple[Any, ...]]:
        return [tuple(self.column(name)[position] for name in columns) for position in range(len(self.keys))]

    def selected_events(self, spec: Row) -> list[list[Event]]:
        """For each customer, the event rows inside the window that `where` keeps."""
        by_key: dict[str, list[Event]] = {key: [] for key in self.keys}
        share = spec.get("measure") == "share"
        for event in self.events[spec["events"]]:
            if event.key in by_key and (share or self.keeps(spec, event.values)):
                by_key[event.key].append(event)
        selected = []
        for position, key in enumerate(self.keys):
            window = self.window(spec, position)
            rows = [event for event in by_key[key] if window and window[0] <= event.time <= window[1]]
            selected.append(self.followed(rows, spec, key))
        return selected

    def followed(self, rows: list[Event], spec: Row, key: str) -> list[Event]:
        """The rows of the events that `then` and `then_not` keep."""
        kept = [
            event for event in grouped(rows) if all(self.keeps_event(event, spec, key, k) for k in ("then", "then_not"))
        ]
        return sorted((row for event in kept for row in event), key=lambda row: row.row)

    def keeps_event(self, event: list[Event], spec: Row, key: str, which: str) -> bool:
        if which not in spec:
            return True
        sequel, day = spec[which], first_day(event)
        table = sequel.get("events", spec["events"])
        begin, end = day, None
        if "within" in sequel:
            end = shift(day, sequel["within"], 1)
        if "between" in sequel:
            begin, end = (shift(day, length, 1) for length in sequel["between"])
        same_day = sequel.get("same_day", which == "then_not")
        rows = [row for row in self.events[table] if row.key == key and self.keeps(sequel, row.values)]
        comes = False
        for other in grouped(rows):
            if table == spec["events"] and (
                other[0].row == event[0].row if event[0].id is None else other[0].id == event[0].id
            ):
                continue  # an event never follows itself
            there = first_day(other)
            comes |= begin <= there and (end is None or there <= end) and (there > day or same_day)
        if which == "then":
            return comes
        return not comes and (end is None or end <= self.as_of)

    def measured(self, rows: list[Event], spec: Row, source: Row) -> Any:
        if spec.get("measure") != "share":
            return measure(rows, spec, source, self.as_of)
        satisfies = [row for row in rows if self.keeps(spec, row.values)]
        what = {"measure": "sum", "of": spec["of"]} if "of" in spec else {}
        part, whole = (Fraction(measure(some, what, source, self.as_of)) for some in (satisfies, rows))
        return float(100 * part / whole) if whole > 0 else None

    def window(self, spec: Row, position: int) -> tuple[date, date] | None:
        """First and last day, both included; none for a customer without the date that it counts from."""
        first, last = date.min, self.as_of
        if "within" in spec:
            first = shift(self.as_of, spec["within"], -1)
        if "between" in spec:
            first, last = (self.moment(bound) for bound in spec["between"])
        if "before" in spec:
            last = self.moment(spec["before"]) - timedelta(days=1)
        since = spec.get("since")
        if isinstance(since, dict):
            first = self.column(since["column"])[position]
            if first is None:
                return None
            if "for" in spec:
                last = min(last, shift(first, spec["for"], 1))
        elif since is not None:
            first = self.moment(since)
        return first, last

    def moment(self, bound: Any) -> date:
        """A date, or a duration before `as_of`."""
        return shift(self.as_of, bound, -1) if isinstance(bound, str) else bound

    def rfm(self, spec: Row) -> dict[str, list[Any]]:
        raw, given, ties = self.raw_rfm(spec), spec.get("cutoffs"), spec.get("ties", "low")
        saved = self.files[given] if isinstance(given, str) else {}
        bins: Any = spec.get("bins", saved.get("bins", 5))
        scores = {}
        if saved:
            scores = saved_scores(raw, saved)
        elif spec.get("method") == "nested":
            scores = nested_scores(raw, bins, ties)
        else:
            for name, values in raw.items():
                falling = name == "recency_days"
                cuts = given and given[name.removesuffix("_days")]
                rank = (
                    cutoff_scores(values, cuts, bins, falling) if cuts else quantile_scores(values, bins, ties, falling)
                )
                scores[name] = rank
        columns: dict[str, list[Any]] = {name: [] for name in RFM_COLUMNS}
        for key in self.keys:
            if key not in raw["recency_days"]:
                row: tuple[Any, ...] = (None,) * len(RFM_COLUMNS)
            else:
                r, f, m = (scores[name][key] for name in raw)
                code = ("-" if bins == 10 else "").join(map(str, (r, f, m)))
                row = (*(raw[name][key] for name in raw), r, f, m, code, rfm_name(r, f, m, bins, spec))
            for name, value in zip(RFM_COLUMNS, row, strict=True):
                columns[name].append(value)
        return columns

    def raw_rfm(self, spec: Row) -> dict[str, dict[str, Any]]:
        """Recency, frequency and monetary by key, of the customers who have them."""
        raw: dict[str, dict[str, Any]] = {"recency_days": {}, "frequency": {}, "monetary": {}}
        if "columns" in spec:
            for position, key in enumerate(self.keys):
                values = {name: self.column(spec["columns"][name])[position] for name in raw}
                if None not in values.values():
                    for name, value in values.items():
                        raw[name][key] = value
            return raw
        source = self.source(spec["events"])
        frequency = "active_days" if spec.get("frequency") == "days" else "count"
        for key, rows in zip(self.keys, self.selected_events(spec), strict=True):
            if rows:
                raw["recency_days"][key] = measure(rows, {"measure": "days_since_last"}, source, self.as_of)
                raw["frequency"][key] = measure(rows, {"measure": frequency}, source, self.as_of)
                raw["monetary"][key] = measure(rows, {"measure": spec.get("monetary", "sum")}, source, self.as_of)
        return raw

    def lifecycle(self, spec: Row) -> list[str | None]:
        """The first stage that holds; own stages are blocks."""
        if "stage" in spec:
            stages = {stage["name"]: self.criteria_of(stage) for stage in spec["stage"]}
            return [next((name for name, holds in stages.items() if holds[n]), None) for n in range(len(self.keys))]
        edges = {key: shift(self.as_of, spec.get(key, days), -1) for key, days in LIFECYCLE_DAYS.items()}
        return [stage_of(rows, edges, spec.get("loyal_from", 4)) for rows in self.selected_events(spec)]

    def score(self, spec: Row) -> list[Any]:
        """All rules add up; the sum stays within 0 and the highest score."""
        rules = [(self.criteria_of(rule), self.points(rule)) for rule in spec["rule"]]
        sums = (sum(given[n] for holds, given in rules if holds[n]) for n in range(len(self.keys)))
        return [min(max(Decimal(0), total), Decimal(spec.get("max_score", 100))) for total in sums]

    def points(self, rule: Row) -> list[Decimal]:
        """The points of a rule for each customer who satisfies it."""
        if "points" in rule:
            return [Decimal(rule["points"])] * len(self.keys)
        per, points = rule["points_per"], []
        for value in self.column(per["column"]):
            each = (
                Decimal(0)
                if is_missing(value)
                else ten_decimals(Fraction(ten_decimals(value)) * Fraction(per["points"]))
            )
            most = per.get("max")
            points.append(each if most is None else min(max(each, Decimal(-most)), Decimal(most)))
        return points

    def value(self, spec: Row) -> dict[str, list[Any]]:
        source = self.source(spec["events"])
        selected = self.selected_events(spec)
        revenue = [measure(rows, {"measure": "sum"}, source, self.as_of) for rows in selected]
        orders = [measure(rows, {}, source, self.as_of) for rows in selected]
        columns = {"revenue": revenue, "order_count": orders}
        columns["average_order_value"] = [
            ten_decimals(Fraction(total) / count) if count else None
            for total, count in zip(revenue, orders, strict=True)
        ]
        if "margin_percent" in spec:
            costs = self.column(spec["cost"]) if "cost" in spec else [0] * len(self.keys)
            margin = Fraction(spec["margin_percent"]) / 100
            columns["profit"] = [
                None if is_missing(cost) else ten_decimals(Fraction(total) * margin) - ten_decimals(cost)
                for total, cost in zip(revenue, costs, strict=True)
            ]
        return columns

    # Segments

    def holds(self, segment: str) -> list[bool]:
        """Whether the criteria of a segment hold, for each customer."""
        if segment not in self.criteria:
            self.criteria[segment] = self.criteria_of(self.rules["segment"][segment])
        return self.criteria[segment]

    def criteria_of(self, named: Row) -> list[bool]:
        """Whether the criteria hold of a segment, a stage or a rule; without criteria it is for all."""
        return self.block({key: value for key, value in named.items() if key not in BLOCK_SETTINGS})

    def block(self, block: Row) -> list[bool]:
        """All criteria of a block hold."""
        results = [result for key, value in block.items() for result in self.criterion(key, value)]
        return [all(result[position] for result in results) for position in range(len(self.keys))]

    def criterion(self, key: str, value: Any) -> list[list[bool]]:
        """The results of one key of a block: one list a condition."""
        if key in SHORT_FORMS and not isinstance(value, dict):
            return [self.column_condition(SHORT_FORMS[key], value)]
        if key in FAMILIES:
            return [self.family_entry(name, wanted) for name, wanted in value.items()]
        match key:
            case "any":
                return [_any([self.block(block) for block in value])]
            case "all":
                return [self.block(block) for block in value]
            case "none":
                return [_not(_any([self.block(block) for block in value]))]
            case "in_segment":
                return [self.holds(name) for name in as_list(value)]
            case "not_in_segment":
                return [_not(_any([self.holds(name) for name in as_list(value)]))]
            case "sql":
                return [[result is True for result in self.run_customer_sql(value)]]
        raise AssertionError(f"unknown criterion {key!r}")

    def family_entry(self, name: str, wanted: Any) -> list[bool]:
        match name:
            case "did":
                return _all([self.did(spec) for spec in as_list(wanted)])
            case "did_not":
                return _not(_any([self.did(spec) for spec in as_list(wanted)]))
            case "near":
                return _any([self.near(place) for place in as_list(wanted)])
            case "inside":
                return _any([self.inside(zones) for zones in as_list(wanted)])
        return self.column_condition(name, wanted)

    def column_condition(self, name: str, wanted: Any) -> list[bool]:
        def peers(position: int) -> Peers:
            return lambda per: self.alike(name, per)[position]

        return [condition(value, wanted, self.as_of, peers(n)) for n, value in enumerate(self.column(name))]

    def did(self, spec: Row) -> list[bool]:
        source = self.source(spec["events"])
        wanted = {name: spec[name] for name in RESULT_OPERATORS if name in spec} or {"min": 1}
        return [
            all(
                bool(some) and condition(self.measured(some, spec, source), wanted, self.as_of)
                for some in self.by_period(rows, spec)
            )
            for rows in self.selected_events(spec)
        ]

    def by_period(self, rows: list[Event], spec: Row) -> list[list[Event]]:
        """The rows of each period of `in_each`; all of them together without it."""
        if "in_each" not in spec:
            return [rows]
        ends = spec.get("between", [spec.get("within"), "0 days"])
        limits = [self.moment(end) for end in ends]
        unit, periods, number = spec["in_each"], [], 0
        while (start := shift(self.as_of, f"{number + 1} {unit}s", -1)) >= limits[0]:
            end = shift(self.as_of, f"{number} {unit}s", -1)
            if end <= limits[1]:
                periods.append([row for row in rows if start < row.time <= end])
            number += 1
        return periods

    def near(self, place: Row) -> list[bool]:
        return [
            on_the_map(latitude, longitude)
            and distance_km(latitude, longitude, place["latitude"], place["longitude"]) <= place["km"]
            for latitude, longitude in self.coordinates()
        ]

    def inside(self, zones: Any) -> list[bool]:
        """In one of the features of a file, or of those with one of some names; numbers are names, too."""
        spec = {"path": zones} if isinstance(zones, str) else zones
        features = features_of(self.files[spec["path"]])
        if "name" in spec:
            named = [((f["properties"] or {}).get(spec.get("property", "name")), f) for f in features]
            features = [f for name, f in named if name is not None and str(name) in as_list(spec["name"])]
        return [
            on_the_map(latitude, longitude)
            and any(in_geometry(Fraction(float(longitude)), Fraction(float(latitude)), f["geometry"]) for f in features)
            for latitude, longitude in self.coordinates()
        ]

    def coordinates(self) -> list[tuple[Any, Any]]:
        spec = self.rules["customers"]
        return list(zip(self.column(spec["latitude"]), self.column(spec["longitude"]), strict=True))

    # Who is written

    def outcome(self) -> Outcome:
        outcome = Outcome(self.keys)
        for name in self.rules.get("segment", {}):
            outcome.criteria[name] = {key for key, holds in zip(self.keys, self.holds(name), strict=True) if holds}
        self.assignment(outcome)
        for name in self.rules.get("output", {}).get("columns", []):
            outcome.columns[name] = self.column(name)
        stages = ["lifecycle"] if "lifecycle" in self.rules else []
        for name in [*stages, *(f"{n}_grade" for n, spec in self.rules.get("score", {}).items() if "grades" in spec)]:
            outcome.shared_out[name] = dict(Counter(self.column(name)))
        known = set(self.keys)
        for name in self.rules.get("events", {}):
            if not any(event.key in known for event in self.events[name]):
                outcome.unmatched_tables.append(name)
        return outcome

    def assignment(self, outcome: Outcome) -> None:
        assignment = self.rules.get("assignment", {})
        segments = self.rules.get("segment", {})
        exclusive = assignment.get("mode") == "exclusive"
        taken: set[str] = set()
        first = assignment.get("priority", [])
        for name in [*first, *(name for name in segments if name not in first)]:
            if segments[name].get("write", True):
                free = outcome.criteria[name] - taken
                outcome.claimed[name] = outcome.criteria[name] - free
                outcome.written[name] = self.each(segments[name].get("each", []), free)
                if exclusive:
                    taken |= free

    def each(self, columns: list[str], keys: set[str]) -> dict[tuple[Any, ...], set[str]]:
        """The keys by their combination of values."""
        groups: dict[tuple[Any, ...], set[str]] = {}
        for key in keys:
            values = tuple(self.column(name)[self.position[key]] for name in columns)
            groups.setdefault(values, set()).add(key)
        return groups


def stage_of(rows: list[Event], edges: Mapping[str, date], loyal_from: int) -> str:
    """The ready-made stage of a customer with these events; "ago" includes the day that it falls on."""
    if not rows:
        return "prospect"
    first, last = min(event.time for event in rows), max(event.time for event in rows)
    if first >= edges["new_for"]:
        return "new"
    if last >= edges["at_risk_after"]:
        return "loyal" if len(grouped(rows)) >= loyal_from else "active"
    if last >= edges["inactive_after"]:
        return "at_risk"
    return "inactive" if last >= edges["lost_after"] else "lost"


def grade_of(grades: Mapping[str, Any], score: Any) -> str | None:
    """The grade with the highest threshold that the score reaches."""
    reached = {least: grade for grade, least in grades.items() if score >= least}
    return reached[max(reached)] if reached else None


def _any(results: list[list[bool]]) -> list[bool]:
    return [any(values) for values in zip(*results, strict=True)]


def _all(results: list[list[bool]]) -> list[bool]:
    return [all(values) for values in zip(*results, strict=True)]


def _not(result: list[bool]) -> list[bool]:
    return [not value for value in result]
