"""Random orders, as a file of events and as a table of a rule file, against plain Python."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from segkit.cli import main

from .cohorts import Event, cohorts
from .test_oracle import examples

START = date(2019, 12, 20)
"""Before the end of a year; the first of the leap years below is 2020, and 2020 has 53 weeks."""
KEYS = ["a", "b", "c", "d", "e"]

EVENTS = st.builds(
    Event,
    key=st.sampled_from([*KEYS, *KEYS, "x", None]),
    day=st.one_of(st.none(), *[st.integers(0, days).map(lambda n: START + timedelta(n)) for days in (20, 500)]),
    id=st.sampled_from([None, "1", "2", "3", "4"]),
    amount=st.one_of(st.none(), st.decimals(-50, 900, places=2), st.just(Decimal("0.1"))),
    kept=st.booleans().map(lambda odd: not odd) | st.just(True),
)


def written(events: list[Event]) -> str:
    """The events as CSV; whether one is kept stands in a column of its own."""
    lines = [
        f"{e.key or ''},{e.day or ''},{e.id or ''},{'' if e.amount is None else e.amount},{'yes' if e.kept else 'no'}"
        for e in events
    ]
    return "\n".join(["key,day,no,total,kept", *lines]) + "\n"


def run(*args: object) -> Any:
    result = CliRunner().invoke(main, ["cohorts", *map(str, args), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_float=Decimal)


BY = st.sampled_from(["week", "month", "quarter"])
DAYS = st.integers(0, 520).map(lambda n: START + timedelta(n))
SURE = Event("a", START, "0", Decimal("1.50"))
"""One row whose values say what the columns are, whatever else is drawn."""


@given(st.lists(EVENTS, max_size=40), BY, DAYS, st.booleans())
@examples(36)
def test_a_file_of_events(events: list[Event], by: str, as_of: date, where: bool) -> None:
    events = [SURE, *events]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "o.csv")
        path.write_text(written(events), encoding="utf-8")
        roles = ("--key", "key", "--time", "day", "--id", "no", "--amount", "total", "--as-of", as_of, "--by", by)
        found = run(path, *roles, *(("--where", "kept = 'yes'") if where else ()))
    seen = events if where else [event._replace(kept=True) for event in events]
    assert found["cohorts"] == cohorts(seen, as_of, by)
    assert found["customers"] == sum(cohort["customers"] for cohort in found["cohorts"])
    assert found["without_events"] == 0


@given(st.lists(EVENTS, max_size=40), BY, DAYS, st.sets(st.sampled_from(KEYS)), st.booleans())
@examples(36)
def test_a_table_of_a_rule_file(events: list[Event], by: str, as_of: date, segment: set[str], once: bool) -> None:
    if once:  # each line repeats what the whole order costs
        totals = {(e.key, e.id): e.amount for e in events if e.id}
        events = [e._replace(amount=totals[e.key, e.id] if e.id else e.amount) for e in events]
    events = [SURE, *events]
    rules = f"""version = 1
as_of = {as_of}
[customers]
path = "c.csv"
key = "key"
[events.orders]
path = "o.csv"
time = "day"
id = "no"
amount = "total"
where.kept = "yes"
{'amount_per = "event"' if once else ""}
[segment.some]
demographic.key.in = {json.dumps(sorted(segment) or ["nobody"])}
"""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("c.csv", "key\n" + "\n".join(KEYS) + "\n"), ("o.csv", written(events)), ("r.toml", rules)):
            Path(folder, name).write_text(text, encoding="utf-8")
        whole = run(Path(folder, "r.toml"), "--by", by)
        part = run(Path(folder, "r.toml"), "--by", by, "--segment", "some")
    assert whole["cohorts"] == cohorts(events, as_of, by, customers=set(KEYS), once=once)
    assert part["cohorts"] == cohorts(events, as_of, by, customers=segment, once=once)
    assert whole["customers"] + whole["without_events"] == len(KEYS)
    assert part["customers"] + part["without_events"] == len(segment)
