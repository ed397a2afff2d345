"""The same input gives the same bytes, whatever the number of threads."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
import pytest

from tests.desk import Desk

FORMATS = ["csv", "tsv", "parquet", "ndjson", "arrow"]
ROWS = 40_000
RULES = """version = 1
as_of = 2024-03-01
[customers]
path = "c.csv"
key = "id"
[events.o]
path = "o-*.csv"
time = "day"
id = "order"
amount = "total"
[trait.spend]
events = "o"
measure = "sum"
[trait.average]
events = "o"
measure = "mean"
[trait.weight]
events = "o"
measure = "mean"
of = "weight"
[trait.last_product]
events = "o"
measure = "last"
of = "product"
[trait.first_product]
events = "o"
measure = "first"
of = "product"
[trait.favourite]
events = "o"
measure = "most_frequent"
of = "product"
[trait.products]
events = "o"
measure = "distinct"
of = "product"
[rfm]
events = "o"
ties = "split"
[assignment]
mode = "exclusive"
[output]
columns = ["n", "spend", "average", "last_product", "first_product", "favourite", "products", "weight", "rfm_code", "rfm_segment"]
combined = "all.{format}"
format = "{format}"
profile = ["spend", "weight"]
[segment.top]
behavioural.spend.top_percent = 10
[segment.weighty]
behavioural.weight.min = 5
each = "last_product"
[segment.champions]
rfm = ["champions", "loyal"]
[segment.rest]
everyone = true
"""


@pytest.fixture(scope="session")
def runs(new_desk: Callable[[], Desk]) -> Callable[[str], list[dict[str, bytes]]]:
    """The output of four runs for each format: one, two, four and again four threads."""
    desk = new_desk()
    n = pl.int_range(ROWS, eager=True)
    customers = pl.DataFrame({"id": n.hash(1).cast(pl.String).str.slice(0, 7), "n": n}).unique(
        "id", maintain_order=True
    )
    desk.put("c.csv", customers)
    keys = customers["id"].gather(n.hash(5) % (len(customers) // 3))
    orders = pl.DataFrame(
        {
            "id": keys,
            "order": n.hash(6) % 15_000,
            "day": pl.select(pl.date(2023, 1, 1) + pl.duration(days=pl.lit(n.hash(7) % 30))).to_series(),
            "total": ((n.hash(8) % 100_000).cast(pl.Float64) / 100).round(2),
            "weight": (n.hash(9) % 1_000_003).cast(pl.Float64) / 99_991,
            "product": (n.hash(10) % 7).cast(pl.String),
        }
    )
    for part in range(3):
        desk.put(f"o-{part}.csv", orders[part::3])
    done: dict[str, list[dict[str, bytes]]] = {}

    def of(format: str) -> list[dict[str, bytes]]:
        if format not in done:
            desk.put(f"{format}.toml", RULES.format(format=format))
            trees = []
            for run, threads in enumerate((1, 2, 4, 4)):
                out = f"{format}-{run}"
                ended = desk.process(
                    "apply", f"{format}.toml", "-o", out, "-q", env={"POLARS_MAX_THREADS": str(threads)}
                )
                assert ended.returncode == 0, ended.stderr.decode()
                trees.append(desk.tree(out))
            done[format] = trees
        return done[format]

    return of


@pytest.mark.parametrize("format", FORMATS)
def test_every_file_is_the_same(runs: Callable[[str], list[dict[str, bytes]]], format: str) -> None:
    first, *others = runs(format)
    assert len(first) > 8
    for tree in others:
        assert tree.keys() == first.keys()
        assert [name for name in tree if tree[name] != first[name] and name != "manifest.json"] == []


@pytest.mark.parametrize("format", FORMATS)
def test_the_manifest_is_the_same_but_for_its_times(runs: Callable[[str], list[dict[str, bytes]]], format: str) -> None:
    manifests = [json.loads(tree["manifest.json"]) for tree in runs(format)]
    for manifest in manifests:
        assert set(manifest.pop("times")) == {"started", "elapsed_seconds"}
    assert all(m == manifests[0] for m in manifests)


def test_the_same_bytes_whatever_python_hashes_with(desk: Desk) -> None:
    """The order of a set changes from one process to the next."""
    desk.put("c.csv", "id,name,zip,mail\n1,Ann,44000,ann@x.example\n2,Bob,,\n")
    rules = (
        'version = 1\nas_of = 2024-03-01\n[customers]\npath = "c.csv"\nkey = "id"\n'
        "[trait.told]\nsql = \"CASE WHEN name = 'Ann' THEN name WHEN mail <> '' THEN mail ELSE zip END\"\n"
        '[output]\ncolumns = ["told"]\n[segment.all]\neveryone = true\n'
    )
    desk.put("rules.toml", rules)
    found = set()
    for seed in ("0", "1", "3", "4"):
        assert desk.process("apply", "rules.toml", "-o", "out", env={"PYTHONHASHSEED": seed}).returncode == 0
        manifest = json.loads((desk / "out/manifest.json").read_text())
        found.add(json.dumps({key: value for key, value in manifest.items() if key != "times"}))
    assert len(found) == 1
