"""`method = "nested"`: frequency is cut within each recency score, monetary within each of both."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict

import duckdb
import pytest

from tests.desk import Desk

COLUMNS = ("recency_days", "frequency", "monetary", "r_score", "f_score", "m_score")
HEAD = """version = 1
as_of = 2024-01-01
[customers]
path = "c.csv"
key = "id"
[rfm]
method = "nested"
bins = {bins}
ties = "{ties}"
[rfm.columns]
recency_days = "r"
frequency = "f"
monetary = "m"
"""
EVERYONE = "[segment.s]\neveryone = true\n"


def customers(desk: Desk, count: int, seed: int) -> list[tuple[str, int, int, int]]:
    """Customers with many equal values, in a file whose order says nothing."""
    rng = random.Random(seed)
    keys = [f"{i:04}" for i in range(count)]
    rng.shuffle(keys)
    rows = [(key, rng.randint(0, 30), rng.choice([1, 1, 1, 2, 3, 5]), rng.randint(-5, 40)) for key in keys]
    desk.put("c.csv", "id,r,f,m\n" + "".join(f"{k},{r},{f},{m}\n" for k, r, f, m in rows))
    return rows


def found(desk: Desk, bins: int, ties: str) -> dict[str, tuple[int, int, int]]:
    scores = desk.columns(HEAD.format(bins=bins, ties=ties), "r_score", "f_score", "m_score")
    return {key: (int(r), int(f), int(m)) for key, (r, f, m) in scores.items()}


def by_hand(rows: list[tuple[str, int, int, int]], bins: int, ties: str) -> dict[str, tuple[int, ...]]:
    """The formula of the reference, group by group, with ranks counted one by one."""
    scores: dict[str, tuple[int, ...]] = {row[0]: () for row in rows}
    for position, sign in enumerate((-1, 1, 1)):
        groups = defaultdict(list)
        for key, *values in rows:
            groups[scores[key]].append((sign * values[position], key))
        for group in groups.values():
            size = len(group)
            for value, key in group:
                below = sum(v < value for v, _ in group)
                equal = sum(v == value for v, _ in group)
                if ties == "low":
                    score = below * bins // size + 1
                elif ties == "high":
                    score = ((below + equal) * bins + size - 1) // size
                else:
                    before = sum(v < value or (v == value and k < key) for v, k in group)
                    score = before * bins // size + 1
                scores[key] = (*scores[key], score)
    return scores


@pytest.mark.parametrize("ties", ["low", "high", "split"])
@pytest.mark.parametrize(("bins", "count"), [(5, 400), (2, 37), (3, 60), (10, 700), (5, 7), (5, 1), (10, 25)])
def test_each_group_is_cut_by_the_formula(desk: Desk, ties: str, bins: int, count: int) -> None:
    rows = customers(desk, count, seed=bins * 1000 + count)
    assert found(desk, bins, ties) == by_hand(rows, bins, ties)


@pytest.mark.parametrize("ties", ["low", "high"])
def test_duckdb_says_the_same(desk: Desk, ties: str) -> None:
    customers(desk, 500, seed=3)
    path = desk / "c.csv"
    low = "(rank() over w - 1) * 5 // count(*) over g + 1"
    high = "((rank() over w + count(*) over t - 1) * 5 + count(*) over g - 1) // count(*) over g"
    step = """select *, {score} as {name} from {source}
        window w as (partition by {groups} order by {order}),
               g as (partition by {groups}), t as (partition by {groups}, {order})"""
    score = low if ties == "low" else high
    table = f"read_csv('{path}', types = {{'id': 'VARCHAR'}})"
    r = step.format(score=score, name="rs", source=table, groups="1", order="-r")
    f = step.format(score=score, name="fs", source=f"({r})", groups="rs", order="f")
    m = step.format(score=score, name="ms", source=f"({f})", groups="rs, fs", order="m")
    cut = duckdb.sql(f"select id, rs, fs, ms from ({m})")
    assert cut is not None
    expected = {key: scores for key, *scores in cut.fetchall()}
    assert {key: list(scores) for key, scores in found(desk, 5, ties).items()} == expected


def test_split_shares_each_group_out_evenly(desk: Desk) -> None:
    """As ntile does where the groups divide: 250 customers, 50 a recency score, 10 a cell, 2 a code."""
    customers(desk, 250, seed=5)
    scores = found(desk, 5, "split")
    assert set(Counter(r for r, _, _ in scores.values()).values()) == {50}
    assert set(Counter((r, f) for r, f, _ in scores.values()).values()) == {10}
    assert set(Counter(scores.values()).values()) == {2}


@pytest.mark.parametrize("ties", ["low", "high", "split"])
def test_thresholds_are_a_table_by_the_scores_before(desk: Desk, ties: str) -> None:
    customers(desk, 300, seed=8)
    rules = HEAD.format(bins=4, ties=ties) + EVERYONE
    thresholds = desk.json(rules)["thresholds"]
    without_keys = [one | {"keys": []} for one in thresholds]  # customers' keys stay out of the manifest
    assert json.loads((desk / "segments/manifest.json").read_text())["thresholds"] == without_keys
    table = {(t["column"], *t["within"].values()): t for t in thresholds}
    assert len(table) == len(thresholds)
    assert [t["within"] for t in thresholds if t["column"] == "recency_days"] == [{}]
    assert {tuple(t["within"]) for t in thresholds if t["column"] == "monetary"} == {("r_score", "f_score")}
    for key, row in desk.columns(HEAD.format(bins=4, ties=ties), *COLUMNS).items():
        days, frequency, money, r, f, m = map(int, row)
        groups = [("recency_days", days, (), r), ("frequency", frequency, (r,), f), ("monetary", money, (r, f), m)]
        for name, value, group, score in groups:
            cut = table[name, *group]
            passed = 0
            for at, edge in enumerate(cut["values"]):
                beyond = value < edge if cut["falls"] else value > edge
                same = value == edge and (cut["inclusive"] or (cut["keys"] and key >= cut["keys"][at]))
                passed += bool(beyond or same)
            assert score == 1 + passed, (key, name)


def test_the_summary_shows_the_cuts_of_each_group(desk: Desk) -> None:
    desk.put("c.csv", "id,r,f,m\na,9,1,10\nb,9,2,20.5\nc,9,3,30\nd,1,4,40\ne,1,5,1000\nf,1,6,60\n")
    text = HEAD.format(bins=2, ties="high") + EVERYONE
    few = desk.apply(text).stdout
    assert "frequency, within R: >= (2 smaller groups not shown)" not in few  # none of them is large enough
    assert "frequency (2 groups, none shown)" in few
    shown = desk.apply(text + "[output]\nmin_cell = 1\n").stdout
    assert "frequency, within R: >=\nR  F2\n─────\n2   5\n1   2\n" in shown
    assert (
        "monetary, within R and F: >=\nR  F     M2\n───────────\n2  2  1,000\n2  1     40\n1  2     30\n1  1     10\n"
        in shown
    )


def test_the_command_and_the_rule_file_say_the_same(desk: Desk) -> None:
    customers(desk, 60, seed=1)
    rules = HEAD.format(bins=3, ties="low")
    columns = (*COLUMNS, "rfm_code", "rfm_segment")
    desk.put("n.csv", (desk / "c.csv").read_text().replace("id,r,f,m", "id,recency,frequency,monetary"))
    done = desk.segkit("rfm", desk / "n.csv", "--method", "nested", "--bins", "3", "-o", "-", "-q")
    by_command = {row["id"]: tuple(row[c] for c in columns) for row in desk.read(done.stdout_bytes)}
    assert by_command == desk.columns(rules, *columns)


def test_nobody_at_all(desk: Desk) -> None:
    desk.put("c.csv", "id,r,f,m\na,,,\n")
    assert desk.columns(HEAD.format(bins=5, ties="low"), "rfm_code", "rfm_segment") == {"a": ("", "")}
