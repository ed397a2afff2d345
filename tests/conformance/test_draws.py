"""Draws: one customer, one answer, in every run, version and engine; shares that are what they say; independence."""

from __future__ import annotations

import math
import random
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
import xxhash

from tests.desk import Desk, head

DOCUMENT = Path(__file__).parents[2] / "docs/rule-file.md"
MILLION = 1_000_000
HEAD = head(as_of="2024-06-30", path="c.parquet") + "[output]\ncolumns = []\n"
VECTORS = [
    # purpose, salt, key -> u; these never change
    ("sample", "newsletter", "c01", 291_823),
    ("holdout", "newsletter", "c01", 751_490),
    ("split", "newsletter", "c01", 550_570),
    ("holdout", "newsletter", "c02", 33_418),
    ("holdout", "win-back", "c01", 145_636),
    ("holdout", "", "c01", 728_458),
    ("control", "", "c01", 203_467),
    ("control", "2026", "c01", 424_335),
    ("sample", "newsletter", "00042", 258_420),
    ("sample", "newsletter", "42", 213_985),
    ("split", "été 2024", "Zoé-東京", 16_644),
    ("sample", "newsletter", "0b8f6c2e-5d4a-4a6e-9a53-0d7c1d0f4f11", 774_376),
]


def uniform(purpose: str, salt: str, key: str) -> int:
    """The contract's hash, by another implementation."""
    return xxhash.xxh3_64_intdigest(b"\0".join(part.encode() for part in (purpose, salt, key)), seed=0) % MILLION


def test_the_vectors_are_those_of_the_document() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*)` \| `(.*)` \| ([\d,]+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    assert [(p, s, k, int(u.replace(",", ""))) for p, s, k, u in rows] == VECTORS


@pytest.mark.parametrize(("purpose", "salt", "key", "u"), VECTORS)
def test_vectors(desk: Desk, purpose: str, salt: str, key: str, u: int) -> None:
    """u is where the bound of a share lies: a share of u / 10,000 percent leaves the key out, the next one has it in."""
    assert uniform(purpose, salt, key) == u
    desk.put("c.parquet", pl.DataFrame({"id": [key]}))
    for share, below in ((u, False), (u + 1, True)):
        percent = Decimal(share) / 10_000
        gate = f"{{ yes = {percent}, no = {100 - percent} }}" if purpose == "split" else str(percent)
        text = f'{HEAD}[segment.s]\neveryone = true\nsalt = "{salt}"\n{purpose} = {gate}\n'
        if purpose == "control":
            group = f'[assignment]\ncontrol = {{ percent = {percent}, salt = "{salt}" }}\n'
            text = f"{HEAD}{group}[segment.s]\neveryone = true\n"
        rows = desk.rows(text)
        if purpose == "split":
            assert [row["variant"] for row in rows] == ["yes" if below else "no"]
        else:
            assert bool(rows) == (below == (purpose == "sample"))


def test_keys_of_every_length(desk: Desk) -> None:
    """The hash goes another way with the length of what it reads; 240 bytes is its last limit."""
    names = [("é" * length)[:length] + str(length) for length in range(260)]
    desk.put("c.parquet", pl.DataFrame({"id": names}))
    rows = desk.rows(f"{HEAD}[segment.s]\neveryone = true\nsample = 50\n")
    assert [row["id"] for row in rows] == [key for key in names if uniform("sample", "s", key) < 500_000]


def test_the_salt_is_the_name_unless_it_is_given(desk: Desk) -> None:
    desk.put("c.parquet", keys(300))
    named, salted, other = (
        {row["id"] for row in desk.rows(f"{HEAD}[segment.{name}]\neveryone = true\nsample = 40\n{salt}")}
        for name, salt in (("a", ""), ("b", 'salt = "a"\n'), ("b", ""))
    )
    assert named == salted != other
    assert named == {key for key in keys(300)["id"] if uniform("sample", "a", key) < 400_000}


def keys(count: int) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"C{number:07d}" for number in range(count)]})


GATES = """[segment.s]
everyone = true
sample = 33.3333
holdout = 12.5
split = { A = 40, B = 35.5, C = 24.5 }
"""


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_one_answer_whatever_the_threads_and_the_order(desk: Desk, threads: int) -> None:
    frame = keys(3_000).sample(fraction=1, shuffle=True, seed=threads)
    desk.put("c.parquet", frame)
    desk.put("rules.toml", HEAD + GATES)
    done = desk.process("apply", "rules.toml", env={"POLARS_MAX_THREADS": str(threads)})
    assert done.returncode == 0, done.stderr
    written, held = {}, set()
    for key in frame["id"]:
        if uniform("sample", "s", key) < 333_333:
            if uniform("holdout", "s", key) < 125_000:
                held.add(key)
            else:
                u = uniform("split", "s", key)
                written[key] = "A" if u < 400_000 else "B" if u < 755_000 else "C"
    assert {row["id"]: row["variant"] for row in desk.read("segments/s.csv")} == written
    assert {row["id"] for row in desk.read("segments/s.holdout.csv")} == held


def near(found: int, of: int, percent: str) -> bool:
    """Whether a count is within three standard errors of what the share says."""
    share = Fraction(percent) / 100
    return abs(found - of * share) <= 3 * math.sqrt(of * share * (1 - share))


def test_shares_on_a_million_customers(desk: Desk) -> None:
    desk.put("c.parquet", keys(MILLION))
    (segment,) = desk.json(HEAD + GATES)["segments"]
    sampled = MILLION - segment["excluded"]["sample"]
    assert near(sampled, MILLION, "33.3333")
    assert near(segment["excluded"]["holdout"], sampled, "12.5")
    assert sum(segment["variants"].values()) == segment["written"]
    for name, share in (("A", "40"), ("B", "35.5"), ("C", "24.5")):
        assert near(segment["variants"][name], segment["written"], share)


def chi_square(pairs: list[tuple[bool, bool]]) -> float:
    """Of the table of two yes-or-no answers; above 10.83 they depend on each other, but once in a thousand times."""
    total = len(pairs)
    statistic = 0.0
    for one in (True, False):
        for other in (True, False):
            seen = sum(pair == (one, other) for pair in pairs)
            expected = sum(a == one for a, _ in pairs) * sum(b == other for _, b in pairs) / total
            statistic += (seen - expected) ** 2 / expected
    return statistic


INDEPENDENT = {
    "two salts": ("sample", "a", "sample", "b"),
    "salts that differ by little": ("holdout", "spring-2024", "holdout", "spring-2025"),
    "sample and holdout": ("sample", "a", "holdout", "a"),
    "holdout and split": ("holdout", "a", "split", "a"),
    "sample and split": ("sample", "a", "split", "a"),
}


@pytest.mark.parametrize("case", INDEPENDENT)
def test_draws_do_not_depend_on_each_other(desk: Desk, case: str) -> None:
    """Chi-square over 20,000 customers; with one purpose and one salt it would be 20,000."""
    frame = keys(20_000)
    desk.put("c.parquet", frame)
    one, salt, other, other_salt = INDEPENDENT[case]
    first, second = (drawn(desk, purpose, name) for purpose, name in ((one, salt), (other, other_salt)))
    assert chi_square([(key in first, key in second) for key in frame["id"]]) < 10.83


def drawn(desk: Desk, purpose: str, salt: str) -> set[str]:
    """Who is among a share of 30 percent."""
    gate = "{ yes = 30, no = 70 }" if purpose == "split" else "30"
    rows = desk.rows(f'{HEAD}[segment.s]\neveryone = true\nsalt = "{salt}"\n{purpose} = {gate}\n')
    if purpose == "split":
        return {row["id"] for row in rows if row["variant"] == "yes"}
    chosen = {row["id"] for row in rows}
    return chosen if purpose == "sample" else set(keys(20_000)["id"]) - chosen


def test_chi_square_finds_what_depends(desk: Desk) -> None:
    coin = random.Random(1)
    flips = [coin.random() < 0.3 for _ in range(20_000)]
    assert chi_square([(flip, flip) for flip in flips]) == pytest.approx(20_000)
    assert chi_square([(flip, flip if coin.random() < 0.05 else coin.random() < 0.3) for flip in flips]) > 10.83
    assert chi_square([(flip, coin.random() < 0.3) for flip in flips]) < 10.83
