"""Rule files made to tempt the proof: lengths that are nearly equal, dates that are met, sequences, scores, draws.

Values of the customers lie on the bounds of the day of the run, which comes some days after the day of the proof.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from .files import Case, Row, Table
from .oracle import shift

NEAR = [
    ["30 days", "1 month", "31 days", "29 days", "28 days"],
    ["59 days", "2 months", "61 days", "62 days", "1 month"],
    ["89 days", "90 days", "3 months", "1 quarter", "92 days", "13 weeks"],
    ["150 days", "151 days", "5 months", "153 days"],
    ["427 days", "14 months", "426 days", "1 year"],
    ["365 days", "366 days", "1 year", "12 months", "52 weeks"],
    ["1460 days", "1461 days", "4 years", "48 months"],
    ["7 days", "30 days", "90 days", "180 days"],
]
AHEAD = [0, 0, 1, 2, 3, 28, 29, 30, 31, 32, 59, 60, 61, 90, 92, 181, 200, 300, 365, 366, 500, 730, 1461]
DAYS = [dt.date(year, month, day) for year in (2024, 2025, 2027, 2028, 2100) for month, day in
        ((2, 27), (2, 28), (3, 1), (3, 29), (3, 30), (3, 31), (4, 30), (5, 1), (5, 31), (6, 30), (7, 10), (7, 29), (7, 31),
         (8, 31), (10, 31), (11, 30), (12, 1), (12, 2), (12, 30), (12, 31), (1, 1), (1, 29), (1, 31))] + [
    dt.date(2024, 2, 29), dt.date(2028, 2, 29)]  # fmt: skip
SQL = ["city = 'a  b'", "city = 'a b'", "n > 1 -- or\n AND n < 3", "n > 1 -- or AND n < 3", "n>1", "n > 1", " n > 1 "]
ONE_DAY = dt.timedelta(days=1)


def tempting(random: Random) -> tuple[Case, dt.date]:
    """A case with the day of its run, and the day of the proof, which is no later."""
    return _Maker(random).made()


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.run = random.choice(DAYS)
        self.proof = self.run - random.choice(AHEAD) * ONE_DAY
        self.lengths = random.sample(random.choice(NEAR), 3)
        near = {self.proof + ONE_DAY, self.run, self.run - ONE_DAY, self.run + 5 * ONE_DAY}
        near |= {shift(day, length, -1) for day in (self.run, self.proof) for length in self.lengths}
        self.dates = random.sample(sorted(near), 2)
        self.score = False

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def made(self) -> tuple[Case, dt.date]:
        rules: Row = {
            "version": 1,
            "as_of": self.run,
            "customers": {"path": "customers.csv", "key": "id", "types": dict.fromkeys(("signed", "born"), "date")},
            "events": {
                "orders": {
                    "path": "orders.csv",
                    "time": "day",
                    "id": "order",
                    "amount": "amount",
                    "types": {"shipped": "date", "order": "text"},
                },
                "visits": {"path": "visits.csv", "time": "day"},
            },
            "trait": {
                "years": {"years_since": "born"},
                "days": {"days_since": "signed"},
                "last_order": {"events": "orders", "measure": "last"},
                "first_order": {"events": "orders", "measure": "first", **self.window()},
                "quiet": {"events": "orders", "measure": "days_since_last", **self.window()},
                "recent": {"events": "orders", **self.window()},
            },
        }
        if self.random.random() < 0.4:
            rules["lifecycle"] = {"events": "orders"}
        self.lifecycle = "lifecycle" in rules
        points = [self.criteria(1) | {"points": self.pick(10, 20, 30)} for _ in range(self.pick(2, 3))]
        rules["score"] = {"fit": {"rule": points, "grades": {"A": self.pick(40, 50, 60), "B": self.pick(20, 30)}}}
        self.score = True
        rules["segment"] = segments = {f"s{n}": self.criteria(self.pick(1, 2, 2, 3)) for n in range(4)}
        segments["s4"] = dict(segments["s0"])
        segments["s5"] = {"in_segment": "s1", **self.criteria(1)}
        segments["s6"] = {"any": [self.criteria(1), self.criteria(1)], "none": [self.criteria(1)]}
        if self.random.random() < 0.5:
            rules["assignment"] = {"mode": "exclusive"}
        for segment in segments.values():
            segment.update(
                self.pick({}, {}, {}, {"limit": 5}, {"sample": 50}, {"sample": 50, "salt": "x"}, {"holdout": 20})
            )
        tables = {
            "customers.csv": self.customers(),
            "orders.csv": self.orders(),
            "visits.csv": self.visits(),
        }
        return Case(rules, tables), self.proof

    # --- Criteria ----------------------------------------------------------------------------------------------

    def criteria(self, number: int) -> Row:
        """Some criteria that must all hold; often two of one thing, which nearly exclude or imply each other."""
        pair = self.pick(self.two_lengths, self.two_of_events, self.two_of_sql, self.two_dates, None, None)
        if pair and number > 1:
            found: Row = pair()
            return found
        block: Row = {}
        for _ in range(number):
            for family, inner in self.criterion().items():
                if not isinstance(inner, dict):
                    block.setdefault(family, inner)
                    continue
                there = block.setdefault(family, {})
                for key, value in inner.items():
                    if key in ("did", "did_not"):
                        there.setdefault(key, []).extend(value)
                    else:
                        there[key] = there.get(key, {}) | value if isinstance(value, dict) else value
        return block

    def criterion(self) -> Row:
        kinds = [self.of_date, self.of_date, self.of_trait, self.of_events, self.of_events, self.of_events, self.other]
        return self.random.choice(kinds)()

    def of_date(self) -> Row:
        column = self.pick("signed", "born", "last_order", "first_order", "last_order")
        return {"demographic": {column: self.date_condition()}}

    def date_condition(self) -> Row:
        if self.random.random() < 0.1:
            return {"missing": self.pick(True, False)}
        operators = ["within", "not_within", "older_than", "within_next", "min", "max", "before", "after", "on"]
        return {
            operator: self.length() if operator in operators[:4] else self.random.choice(self.dates)
            for operator in self.random.sample(operators, self.pick(1, 1, 2))
        }

    def two_lengths(self) -> Row:
        first, second = self.random.sample(self.lengths, 2)
        column = self.pick("signed", "born", "last_order")
        return {"demographic": {column: {"within": first, self.pick("not_within", "older_than"): second}}}

    def two_dates(self) -> Row:
        """A date, and what is counted from the day of the run."""
        date = {self.pick("min", "after", "on", "max", "before"): self.random.choice(self.dates)}
        column = self.pick("signed", "last_order")
        counted = {self.pick("within", "within_next", "older_than"): self.length()} if column == "signed" else {}
        return {"demographic": {column: date | counted}}

    def two_of_events(self) -> Row:
        """Some events, and not others that are nearly the same."""
        [kind] = self.of_events()["behavioural"].values()
        one: Row = kind[0]
        other = dict(one)
        for key in ("within", "since", "before", "where"):
            other.pop(key, None)
        other |= {key: one[key] for key in self.random.sample(sorted(one), min(len(one), self.pick(1, 2)))}
        other |= self.pick({}, self.window()) if not other.keys() & {"within", "since", "before"} else {}
        if one["events"] == "orders" and self.random.random() < 0.3:
            other["where"] = {"shipped": self.date_condition()}
        did, did_not = self.pick((one, other), (other, one))
        return {"behavioural": {"did": [did], "did_not": [did_not]}}

    def two_of_sql(self) -> Row:
        return {"sql": self.random.choice(SQL), "none": [{"sql": self.random.choice(SQL)}]}

    def of_trait(self) -> Row:
        column = self.pick("years", "days", "quiet", "recent")
        numbers = [0, 1, 4, 5] if column in ("years", "recent") else [0, *map(self.in_days, self.lengths)]
        return {"demographic": {column: {self.pick("min", "max", "above", "below"): self.random.choice(numbers)}}}

    def in_days(self, length: str) -> int:
        return (self.run - shift(self.run, length, -1)).days

    def of_events(self) -> Row:
        one: Row = {"events": self.pick("orders", "orders", "visits"), **self.window()}
        orders = one["events"] == "orders"
        if orders and self.random.random() < 0.5:
            one["where"] = {"shipped": self.date_condition()}
        if self.random.random() < 0.4:
            later: Row = {"events": self.pick("orders", "visits")} | self.pick({}, {"within": "3 days"})
            one[self.pick("then", "then_not")] = later
        match self.pick("some", "some", "count", "since", "sum"):
            case "count":
                one[self.pick("min", "max")] = self.pick(1, 2)
            case "since":
                days = self.in_days(self.length())
                one |= {"measure": self.pick("days_since_last", "days_since_first"), self.pick("min", "max"): days}
            case "sum" if orders:
                one |= {"measure": "sum", self.pick("min", "max"): self.pick(0, 10)}
        return {"behavioural": {self.pick("did", "did", "did_not"): [one]}}

    def window(self) -> Row:
        first, second = sorted(self.random.sample(self.lengths, 2), key=self.in_days)
        options: list[Row] = [
            {}, {"within": first}, {"within": second}, {"since": self.random.choice(self.dates)},
            {"before": self.random.choice(self.dates)}, {"since": second}, {"before": first},
        ]  # fmt: skip
        return self.random.choice(options)

    def other(self) -> Row:
        options: list[Row] = [
            {"sql": self.random.choice(SQL)},
            {"geographic": {"city": self.pick("a b", "a  b", {"contains": "a"})}},
            {"demographic": {"n": {self.pick("min", "max"): self.pick(1, 2, 3)}}},
        ]
        if self.score:
            options += 2 * [
                {"score": {"fit_grade": self.pick("A", "B")}},
                {"score": {"fit_score": {"min": self.pick(20, 50)}}},
            ]
        if self.score and self.lifecycle:
            options += [{"lifecycle": self.pick("prospect", "new", "loyal", "active", "at_risk", "inactive", "lost")}]
        return self.random.choice(options)

    def length(self) -> str:
        return self.random.choice(self.lengths)

    # --- Tables ------------------------------------------------------------------------------------------------

    def bounds(self) -> list[dt.date]:
        found = {self.run, *self.dates}
        for length in self.lengths:
            found |= {shift(self.run, length, -1), shift(self.run, length, 1)}
        found |= {shift(self.run, f"{n} years", -1) for n in (1, 4, 5)}
        return sorted({day + n * ONE_DAY for day in found for n in (-2, -1, 0, 1, 2)})

    def customers(self) -> Table:
        bounds = [*self.bounds(), None]
        rows: list[Row] = [
            {"id": f"c{n}", "signed": self.random.choice(bounds), "born": self.random.choice(bounds),
             "city": self.pick("a b", "a  b", "x", None), "n": self.pick(1, 2, 3, 4, None)}
            for n in range(300)
        ]  # fmt: skip
        return Table(rows, {"id": "key", "signed": "date", "born": "date", "city": "text", "n": "number"})

    def orders(self) -> Table:
        """Orders of one or two lines, which may lie on other days."""
        days = [day for day in self.bounds() if day <= self.run]
        rows: list[Row] = []
        for number in range(350):
            for _ in range(self.pick(1, 2)):
                day, shipped = self.random.choice(days), self.random.choice([*self.bounds(), None])
                rows.append(
                    {"id": f"c{number % 270}", "day": day, "order": f"o{number}", "amount": self.pick(5, 10, -5), "shipped": shipped}
                )  # fmt: skip
        return Table(rows, {"id": "key", "day": "date", "order": "text", "amount": "money", "shipped": "date"})

    def visits(self) -> Table:
        days = [day for day in self.bounds() if day <= self.run]
        rows: list[Row] = [{"id": f"c{n % 150}", "day": self.random.choice(days)} for n in range(250)]
        return Table(rows, {"id": "key", "day": "date"})
