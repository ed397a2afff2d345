"""`import segkit`: frames are what files are, nothing is written or printed unasked, errors are one clear message."""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import inspect
import json
import logging
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segkit
from tests.desk import ROOT, Desk, environment, event_table, head

CUSTOMERS = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "country": ["FR", "DE", "FR", None],
        "age": [20, 30, 40, None],
        "ok": [True, True, False, True],
    }
)
ORDERS = pl.DataFrame(
    {
        "id": ["a", "a", "b", "c"],
        "day": [dt.date(2024, 1, 5), dt.date(2024, 2, 5), dt.date(2023, 1, 1), dt.date(2024, 2, 28)],
        "total": [10.5, 20.0, 5.0, 7.25],
    }
)
RULES = (
    head(path="c.parquet")
    + event_table("orders", "o.parquet", 'amount = "total"')
    + """
[trait.spent]
events = "orders"
measure = "sum"
[rfm]
events = "orders"
bins = 3
map = "rf"
[consent]
require.ok = true
[assignment]
mode = "exclusive"
[output]
columns = ["country", "spent"]
[segment.french]
label = "French <b>"
geographic.country = "FR"
[segment.spenders]
behavioural.spent.min = 5
split = { a = 50, b = 50 }
[segment.adults]
write = false
demographic.age.min = 25
"""
)
EVENTS = {"orders": ORDERS}


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A rule file; its data are not there."""
    desk.put("rules.toml", RULES)
    return desk


@pytest.fixture
def run(shop: Desk) -> segkit.Run:
    """The rules on the frames."""
    return segkit.apply(shop / "rules.toml", customers=CUSTOMERS, events=EVENTS)


class Stream:
    """A frame of which only the stream of Arrow is known."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def pandas_frame(frame: pl.DataFrame) -> Any:
    return pytest.importorskip("pandas", reason="an example of a library").DataFrame(frame.to_dict(as_series=False))


def pyarrow_table(frame: pl.DataFrame) -> Any:
    return pytest.importorskip("pyarrow", reason="an example of a library").table(frame.to_dict(as_series=False))


def relation(frame: pl.DataFrame) -> Any:
    pytest.importorskip("pyarrow", reason="DuckDB hands rows over with it")
    path = Path(tempfile.mkdtemp()) / "frame.parquet"
    frame.write_parquet(path)
    return duckdb.sql(f"FROM '{path}'")


@pytest.mark.parametrize("given", [pl.DataFrame.lazy, Stream, pandas_frame, pyarrow_table, relation])
def test_every_frame_is_taken(shop: Desk, run: segkit.Run, given: Callable[[pl.DataFrame], Any]) -> None:
    other = segkit.apply(shop / "rules.toml", customers=given(CUSTOMERS), events={"orders": given(ORDERS)})
    assert_frame_equal(other.ledger, run.ledger)
    assert [other[name].rows() for name in other] == [run[name].rows() for name in run]


def test_paths_are_relative_to_the_caller(shop: Desk, run: segkit.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("data/customers.csv", CUSTOMERS)
    shop.put("data/orders.parquet", ORDERS)
    monkeypatch.chdir(shop / "data")
    other = segkit.apply(Path("../rules.toml"), customers="customers.csv", events={"orders": Path("orders.parquet")})
    assert_frame_equal(other.ledger, run.ledger)


def test_a_run_says_what_became_of_whom(run: segkit.Run) -> None:
    assert list(run) == ["french", "spenders"]
    assert "french" in run and "adults" not in run and len(run) == 2
    assert run["french"].columns == ["id", "segment", "country", "spent"]
    assert run["french"].select("id", "spent").cast({"spent": pl.Float64}).rows() == [("a", 30.5)]
    assert run["spenders"]["id"].to_list() == ["b"]
    assert run["spenders"].columns == ["id", "segment", "variant", "country", "spent"]
    (variant,) = run["spenders"]["variant"]
    assert run.ledger.rows() == [
        ("french", "a", "written", None, None),
        ("french", "c", "consent", None, None),
        ("spenders", "a", "claimed", "french", None),
        ("spenders", "b", "written", None, variant),
        ("spenders", "c", "consent", None, None),
        ("adults", "b", "not_written", None, None),
        ("adults", "c", "not_written", None, None),
    ]


def test_customers_have_all_that_was_computed(run: segkit.Run) -> None:
    assert isinstance(run.customers, pl.LazyFrame)
    customers = run.customers.collect()
    assert customers.columns[:5] == ["id", "country", "age", "ok", "spent"]
    assert {"r_score", "rfm_segment"} < set(customers.columns)
    assert customers.columns[-3:] == ["segment.french", "segment.spenders", "segment.adults"]
    assert customers["segment.adults"].to_list() == [False, True, True, False]


def test_a_run_is_what_the_command_says(shop: Desk, run: segkit.Run) -> None:
    shop.put("c.parquet", CUSTOMERS)
    shop.put("o.parquet", ORDERS)
    summary = json.loads(shop.segkit("apply", shop / "rules.toml", "--dry-run", "--json").stdout)
    assert run.result.dry_run and summary["dry_run"]
    assert [(s["name"], s["matched"], s["written"]) for s in summary["segments"]] == [
        (s.name, s.matched, s.written) for s in run.result.segments
    ]
    told = json.loads(shop.segkit("explain", shop / "rules.toml", "a", "--json").stdout)["customers"][0]
    (customer,) = run.explain("a").customers
    assert [(s["name"], s["outcome"], s["claimed_by"]) for s in told["segments"]] == [
        (s.name, s.outcome, s.claimed_by) for s in customer.segments
    ]
    assert run.explain("nobody").unknown == ("nobody",)
    (near,) = run.explain(segment="french", near_misses=3).near
    assert [[one.key for one in condition.nearest] for condition in near.conditions] == [["b", "d"]]
    assert [funnel.name for funnel in run.explain(segment="adults").funnels] == ["adults"]


def test_nothing_is_written_or_printed(
    shop: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    temporary = shop / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    filters, level, before = list(warnings.filters), logging.getLogger().level, CUSTOMERS.clone()
    run = segkit.apply(shop / "rules.toml", customers=CUSTOMERS, events=EVENTS)
    assert [path.name for path in (shop / ".").iterdir() if path != temporary] == ["rules.toml"]
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")
    assert handlers == {one: signal.getsignal(one) for one in handlers}
    assert (filters, level) == (list(warnings.filters), logging.getLogger().level)
    assert_frame_equal(CUSTOMERS, before)
    del run
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_write_publishes_what_the_command_does(shop: Desk, run: segkit.Run) -> None:
    shop.put("c.parquet", CUSTOMERS)
    shop.put("o.parquet", ORDERS)
    shop.segkit("apply", shop / "rules.toml", "-q", "-o", shop / "there")
    result = run.write(shop / "here")
    assert result.directory == str(shop / "here") and not result.dry_run
    segkit.apply(shop / "rules.toml", customers=CUSTOMERS, events=EVENTS, write=True)
    there, here, asked = (shop.tree(name) for name in ("there", "here", "segments"))
    manifests = [json.loads(tree.pop("manifest.json")) for tree in (there, here, asked)]
    assert there == here == asked
    for manifest in manifests:
        manifest["inputs"] = [one["table"] for one in manifest["inputs"]]
        for key in ("times", "rules", "bytes"):
            manifest.pop(key)
    assert manifests[0] == manifests[1] == manifests[2]


def test_the_manifest_knows_frames_by_address_and_content(shop: Desk, run: segkit.Run) -> None:
    def inputs() -> Any:
        return json.loads((shop / "out/manifest.json").read_text())["inputs"]

    run.write(shop / "out")
    first = inputs()
    assert [one["path"] for one in first] == ["frame://customers", "frame://events/orders"]
    segkit.apply(shop / "rules.toml", customers=Stream(CUSTOMERS), events=EVENTS).write(shop / "out")
    assert inputs() == first
    other = CUSTOMERS.with_columns(country=pl.lit("FR"))
    segkit.apply(shop / "rules.toml", customers=other, events=EVENTS).write(shop / "out")
    assert [a["sha256"] == b["sha256"] for a, b in zip(first, inputs(), strict=True)] == [False, True]


def test_a_file_that_has_changed_since_is_not_written(shop: Desk) -> None:
    path = shop.put("customers.csv", CUSTOMERS)
    run = segkit.apply(shop / "rules.toml", customers=path, events=EVENTS)
    shop.put("customers.csv", CUSTOMERS.head(2))
    with pytest.raises(segkit.DataError, match="has changed since the run read it"):
        run.write(shop / "out")
    assert not (shop / "out").exists()


def test_what_is_expected_is_asked_for(shop: Desk) -> None:
    shop.put("rules.toml", RULES + "[segment.all]\neveryone = true\nexpect = { min_size = 9 }\n")
    with pytest.raises(segkit.CheckFailed, match="`min_size` is 9"):
        segkit.apply(shop / "rules.toml", customers=CUSTOMERS, events=EVENTS)


def test_select_and_format(shop: Desk) -> None:
    run = segkit.apply(shop / "rules.toml", customers=CUSTOMERS, events=EVENTS, select=["spenders"], format="parquet")
    assert list(run) == ["spenders"]
    assert set(run.ledger["segment"]) == {"spenders", "adults"}
    run.write(shop / "out")
    assert_frame_equal(pl.read_parquet(shop / "out/spenders.parquet"), run["spenders"])


def test_each_and_holdout(shop: Desk) -> None:
    text = head(path="c.parquet") + '[segment.s]\neveryone = true\neach = ["country"]\nholdout = 50\n'
    shop.put("rules.toml", text)
    run = segkit.apply(
        shop / "rules.toml", customers=pl.concat([CUSTOMERS.with_columns(pl.col("id") + str(n)) for n in range(9)])
    )
    run.write(shop / "out")
    names = sorted(path.stem for path in (shop / "out").glob("*.csv"))
    assert "s.holdout" in names and "s.missing" in names
    for name in names:
        rows = shop.read(f"out/{name}.csv")
        assert [row["id"] for row in rows] == run[name]["id"].to_list()
    lists = [Path(one.path).stem for one in run.result.segments[0].outputs]
    assert lists == ["s.de", "s.fr", "s.missing"]
    assert run["s"]["id"].to_list() == [key for name in lists for key in run[name]["id"]]


def test_no_rows_are_rows_too(shop: Desk) -> None:
    text = head(path="c.parquet") + '[segment.s]\ngeographic.country = "FR"\neach = ["age"]\n'
    shop.put("rules.toml", text)
    run = segkit.apply(shop / "rules.toml", customers=CUSTOMERS.filter(country="DE"))
    assert run["s"].columns == ["id", "segment", "country", "age", "ok"] and run["s"].is_empty()
    assert run.ledger.is_empty()


def test_a_lookup_may_be_a_frame(desk: Desk) -> None:
    rules = (
        head(path="c.parquet")
        + '[lookup.land]\npath = "l.parquet"\non = "country"\n[segment.s]\ngeographic.name = "France"\n'
    )
    desk.put("rules.toml", rules)
    land = pl.DataFrame({"country": ["FR", "DE"], "name": ["France", "Germany"]})
    run = segkit.apply(desk / "rules.toml", customers=CUSTOMERS, lookups={"land": land})
    assert run["s"]["id"].to_list() == ["a", "c"]
    features = segkit.load(desk / "rules.toml").features(CUSTOMERS, lookups={"land": land})
    assert features.collect()["name"].to_list() == ["France", "Germany", "France", None]


def test_one_table_for_several_and_customers_of_events(desk: Desk) -> None:
    rules = (
        'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "orders"\nkey = "id"\n'
        + event_table("orders", "o.parquet")
        + '[events.late]\nlike = "orders"\nwhere.total.min = 8\n[segment.s]\nbehavioural.did = { events = "late" }\n'
    )
    desk.put("rules.toml", rules)
    run = segkit.apply(desk / "rules.toml", events=EVENTS)
    assert run["s"]["id"].to_list() == ["a"] and run.result.customers == 3


def test_an_index_with_a_name_is_a_column(shop: Desk, run: segkit.Run) -> None:
    customers = pandas_frame(CUSTOMERS)
    for frame in (customers.set_index("id"), customers[customers.id != "x"]):
        other = segkit.apply(shop / "rules.toml", customers=frame, events=EVENTS)
        assert_frame_equal(other.ledger, run.ledger)
        assert not [name for name in other.customers.collect_schema() if name.startswith("__")]


def test_categories_and_missing_numbers(shop: Desk, run: segkit.Run) -> None:
    frame = CUSTOMERS.with_columns(
        pl.col("country").cast(pl.Categorical), pl.col("age").cast(pl.Float64).fill_null(float("nan"))
    )
    other = segkit.apply(shop / "rules.toml", customers=frame, events=EVENTS)
    assert_frame_equal(other.ledger, run.ledger)


# Errors: the same as of a Parquet file, but for its name.


@pytest.mark.parametrize(
    "frame",
    [
        CUSTOMERS.drop("id"),
        CUSTOMERS.drop("country"),
        CUSTOMERS.with_columns(age=pl.lit("x")),
        CUSTOMERS.with_columns(ok=pl.lit(1)),
        pl.concat([CUSTOMERS, CUSTOMERS]),
        CUSTOMERS.with_columns(id=pl.lit(None, pl.String)),
        CUSTOMERS.rename({"age": "*"}),
        CUSTOMERS.with_columns(age=pl.struct("age")),
        pl.DataFrame(),
    ],
)
def test_a_wrong_frame_is_told_as_a_wrong_file(shop: Desk, frame: pl.DataFrame) -> None:
    path = shop.put("customers.parquet", frame)
    orders = shop.put("o.parquet", ORDERS)
    done = shop.segkit(
        "apply", shop / "rules.toml", "--dry-run", "--customers", path, "--events", f"orders={orders}", code=None
    )
    with pytest.raises(segkit.SegkitError) as caught:
        segkit.apply(shop / "rules.toml", customers=frame, events=EVENTS)
    assert done.exit_code == caught.value.exit_code
    told = done.stderr.replace(str(path), "frame://customers").replace("customers.parquet", "customers")
    assert told.rstrip("\n") == str(caught.value)


def objects(frame: pl.DataFrame) -> Any:
    return frame.with_columns(pl.Series("age", [object()] * len(frame), dtype=pl.Object))


def mixed(frame: pl.DataFrame) -> Any:
    return pandas_frame(frame).assign(age=[1, "x", None, 2.5])


def failing(frame: pl.DataFrame) -> Any:
    return frame.lazy().with_columns(pl.col("country").cast(pl.Int64).alias("age"))


def without_column(frame: pl.DataFrame) -> Any:
    return frame.lazy().select("none")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (objects, "error: column `age` of `customers` holds objects of Python\n  --> frame://customers\nhint: "),
        (mixed, "error: `customers` cannot be taken as a table: "),
        (failing, "error: `customers` cannot be computed: "),
        (without_column, "error: `customers` is not a frame that can be computed: unable to find column"),
        (
            lambda frame: frame.to_dicts(),
            "error: `frame://customers` is no table: a Python object of type `list`\nhint: ",
        ),
    ],
)
def test_what_is_no_table(shop: Desk, given: Callable[[pl.DataFrame], Any], says: str) -> None:
    with pytest.raises(segkit.SegkitError) as caught:
        segkit.apply(shop / "rules.toml", customers=given(CUSTOMERS), events=EVENTS)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"events": {"order": ORDERS}}, "`order` is given, but the rule file has no `[events.order]`"),
        ({"lookups": {"land": CUSTOMERS}}, "`land` is given, but the rule file has no `[lookup.land]`"),
        ({"select": ["french", "spender"]}, "there is no segment `spender`"),
        ({"select": "spender"}, "there is no segment `spender`"),
        ({"select": ["adults"]}, "segment `adults` says `write = false`"),
        ({"format": "xls"}, "`format` is `xls`"),
        ({"fail_on": "warnings"}, "`fail_on` is `warnings`"),
        ({"as_of": "2024-01-01"}, "`as_of` is a day, not `str`"),
        ({"events": ORDERS}, "`events` is a mapping, not `DataFrame`"),
        ({"lookups": [CUSTOMERS]}, "`lookups` is a mapping, not `list`"),
        ({"as_of": dt.datetime(2024, 1, 1)}, "`as_of` is a day, not `datetime`"),
    ],
)
def test_a_wrong_call(shop: Desk, options: dict[str, Any], says: str) -> None:
    call: dict[str, Any] = {"customers": CUSTOMERS, "events": EVENTS} | options
    with pytest.raises(segkit.RuleError, match=re.escape(says)):
        segkit.apply(shop / "rules.toml", **call)


def test_wrong_rules(shop: Desk) -> None:
    with pytest.raises(segkit.RuleError, match="does not exist"):
        segkit.load(shop / "none.toml")
    with pytest.raises(segkit.RuleError, match="a rule file is a path, not `DataFrame`"):
        segkit.apply(CUSTOMERS)  # type: ignore[arg-type]
    shop.put("wrong.toml", RULES + "[segment.x]\nrfm.z_score.min = 1\n")
    with pytest.raises(segkit.RuleError, match="`rfm` has no column `z_score`"):
        segkit.load(shop / "wrong.toml")


@pytest.mark.parametrize(
    ("name", "says"),
    [("none", "there is no segment `none`"), ("adults", "segment `adults` says `write = false`")],
)
def test_there_is_no_such_list(run: segkit.Run, name: str, says: str) -> None:
    with pytest.raises(segkit.RuleError, match=re.escape(says)):
        run[name]


def test_a_column_named_like_a_segment(shop: Desk) -> None:
    run = segkit.apply(
        shop / "rules.toml", customers=CUSTOMERS.with_columns(pl.lit(1).alias("segment.adults")), events=EVENTS
    )
    assert "segment.adults" in run.customers.collect_schema()
    shop.put("rules.toml", RULES.replace('columns = ["country", "spent"]', ""))
    run = segkit.apply(
        shop / "rules.toml", customers=CUSTOMERS.with_columns(pl.lit(1).alias("segment.adults")), events=EVENTS
    )
    with pytest.raises(segkit.RuleError, match=r"the customers have a column `segment.adults`"):
        _ = run.customers


# Rules that are loaded.


def test_rules_are_applied_again_and_again(shop: Desk, run: segkit.Run) -> None:
    rules = segkit.load(shop / "rules.toml")
    (shop / "rules.toml").unlink()
    assert rules.segments == ("french", "spenders", "adults") and rules.path == str(shop / "rules.toml")
    assert_frame_equal(segkit.apply(rules, customers=CUSTOMERS, events=EVENTS).ledger, run.ledger)
    early = segkit.apply(rules, customers=CUSTOMERS, events=EVENTS, as_of=dt.date(2023, 6, 1))
    assert early.result.as_of == dt.date(2023, 6, 1) and early["spenders"]["id"].to_list() == ["b"]
    assert early.ledger.filter(segment="spenders")["key"].to_list() == ["b"]


def test_features_have_all_columns(shop: Desk) -> None:
    rules = segkit.load(shop / "rules.toml")
    features = rules.features(CUSTOMERS, EVENTS)
    assert isinstance(features, pl.LazyFrame)
    schema = features.collect_schema()
    assert list(schema)[:5] == ["id", "country", "age", "ok", "spent"] and "rfm_code" in schema
    texts = rules.features(CUSTOMERS.cast(pl.String), EVENTS).collect_schema()
    assert texts["age"] == pl.Int64() and texts["ok"] == pl.Boolean()


def test_features_settle_what_a_sample_leaves_open(desk: Desk) -> None:
    rows = 60_000
    days = ["01/02/2024"] * (rows - 1) + ["13/02/2024"]
    customers = pl.DataFrame({"id": [f"c{n}" for n in range(rows)], "born": days, "note": [None] * (rows - 1) + ["3"]})
    desk.put("rules.toml", head(path="c.parquet") + "[segment.s]\neveryone = true\n")
    schema = segkit.load(desk / "rules.toml").features(customers.cast(pl.String)).collect_schema()
    assert (schema["born"], schema["note"]) == (pl.Date(), pl.Int64())


def test_rules_are_known_by_their_bytes(desk: Desk) -> None:
    text = b"\xef\xbb\xbf" + (head(path="c.parquet") + "[segment.s]\neveryone = true\n").encode()
    rules = segkit.load(desk.put("rules.toml", text))
    segkit.apply(rules, customers=CUSTOMERS).write(desk / "out")
    manifest = json.loads((desk / "out/manifest.json").read_text())
    assert manifest["rules"]["sha256"] == hashlib.sha256(text).hexdigest()


COMPILED = head(path="c.parquet") + event_table("orders", "o.parquet", 'amount = "total"') + """
[trait.spent]
events = "orders"
measure = "sum"
[trait.best]
sql = "r_score > 1"
[trait.old]
sql = "age > 29"
[rfm]
events = "orders"
bins = 3
map = "rf"
[segment.french]
geographic.country = "FR"
[segment.both]
in_segment = "french"
not_in_segment = "cheap"
sql = "spent > 5"
[segment.cheap]
behavioural.spent = { below = 8, or_missing = true }
[segment.everyone]
everyone = true
[segment.recent]
rfm.r_score.min = 2
[segment.champions]
rfm.rfm_segment = "champions"
[segment.best]
behavioural.best = true
[segment.top]
behavioural.spent.top_percent = 50
[segment.did]
behavioural.did = { events = "orders" }
[segment.aged]
demographic.old = true
[segment.nested]
any = [{ in_segment = "recent" }, { geographic.country = "DE" }]
"""  # fmt: skip


@pytest.mark.parametrize(
    "name", ["french", "both", "cheap", "everyone", "recent", "champions", "aged", "best", "nested"]
)
def test_a_segment_is_an_expression(desk: Desk, name: str) -> None:
    desk.put("rules.toml", COMPILED)
    rules = segkit.load(desk / "rules.toml")
    features = rules.features(CUSTOMERS, EVENTS)
    run = segkit.apply(rules, customers=CUSTOMERS, events=EVENTS)
    found = features.filter(segkit.compile_segment(rules, name, features)).collect()
    assert found["id"].to_list() == run[name]["id"].to_list()
    alone = features.select(segkit.compile_segment(rules, name, features)).collect()
    assert alone[name].to_list() == [key in found["id"] for key in CUSTOMERS["id"]]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cheap", "the frame has no column `spent`, which `[trait.spent]` computes from events of `orders`"),
        ("recent", "the frame has no column `r_score`, which `[rfm]` computes: it needs cuts over all customers"),
        ("champions", "no column `rfm_segment`, which `[rfm]` computes: it needs cuts over all customers"),
        ("best", "no column `best`, which `[trait.best]` computes from cuts over all customers: `r_score`"),
        ("nested", "the frame has no column `r_score`, which `[rfm]` computes: it needs cuts over all customers"),
        ("top", "`top_percent` of `spent` needs a cut over all customers, which no frame has"),
        ("did", "the criteria look at events of `orders`, of which the frame has no column"),
        ("aged", "the frame has no column `old`, which `[trait.old]` computes"),
        ("nobody", "there is no segment `nobody`"),
    ],
)
def test_an_expression_names_what_it_lacks(desk: Desk, name: str, says: str) -> None:
    desk.put("rules.toml", COMPILED)
    with pytest.raises(segkit.RuleError, match=re.escape(says)):
        segkit.compile_segment(desk / "rules.toml", name, CUSTOMERS)


def test_an_expression_fits_the_types(desk: Desk) -> None:
    desk.put("rules.toml", COMPILED)
    with pytest.raises(segkit.RuleError, match="column `country`"):
        segkit.compile_segment(desk / "rules.toml", "french", CUSTOMERS.with_columns(country=pl.lit(1)))


# Notebooks, names, types.


def test_a_notebook_shows_counts_alone(run: segkit.Run) -> None:
    html = run._repr_html_()
    assert "French &lt;b&gt;" in html and "<b>" not in html
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert cells[:6] == ["french", "French &lt;b&gt;", "2", "1", "1", "25.0 %"]
    assert "color" not in html and "background" not in html
    assert repr(run) == "<segkit.Run 2024-03-01, 4 customers: french 1, spenders 1>"


def test_a_notebook_shows_an_explanation(run: segkit.Run) -> None:
    html = run.explain("a", "<x>")._repr_html_()
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)
    assert cells[:6] == ["french", "French &lt;b&gt;", "written", "+ country", "is &quot;FR&quot;", "&quot;FR&quot;"]
    assert cells[-3:] == ["- age", "at least 25", "20"]
    assert "<caption>a, as of 2024-03-01</caption>" in html and "no customer has the key `&lt;x&gt;`" in html
    funnels = run.explain()._repr_html_()
    assert funnels.count("<table>") == 3 and "<caption>french</caption>" in funnels
    near = run.explain(segment="french", near_misses=2)._repr_html_()
    assert re.findall(r"<td[^>]*>([^<]*)</td>", near) == [
        "country",
        "is &quot;FR&quot;",
        "2",
        "b",
        "&quot;DE&quot;",
        "",
        "d",
        "no value",
        "",
    ]
    assert "color" not in html + funnels + near


PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")


def test_the_public_names_are_the_documented_ones() -> None:
    named = set(re.findall(r"`segkit\.(\w+)`", PAGE.partition("## Names")[2]))
    assert named == set(segkit.__all__) == set(dir(segkit))
    for name in segkit.__all__:
        assert getattr(segkit, name) is not None
    with pytest.raises(AttributeError):
        _ = segkit.rfm


def test_every_argument_and_every_member_is_documented() -> None:
    for function in (segkit.apply, segkit.Run.write, segkit.Rules.features):
        assert {name for name in inspect.signature(function).parameters if name != "self"} <= set(
            re.findall(r"`(\w+)`", PAGE) + re.findall(r"\b(\w+)(?=[,)=])", PAGE)
        )
    for public in (segkit.Run, segkit.Rules):
        for name in vars(public):
            assert name.startswith("_") or re.search(rf"`(run|rules)?\.?{name}\b|\b{name}\(", PAGE), name


SCRIPT = """
import datetime as dt
from pathlib import Path
from typing import assert_type

import polars as pl

import segkit


class Stream:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return object()


frame = pl.DataFrame({"id": ["a"]})
rules = segkit.load(Path("rules.toml"))
run = segkit.apply(rules, as_of=dt.date(2024, 1, 1), customers=frame, events={"orders": frame.lazy(), "sends": "s.csv"})
assert_type(run, segkit.Run)
assert_type(segkit.apply("rules.toml", customers=Stream(), write=True), segkit.Run)
assert_type(run["a"], pl.DataFrame)
assert_type(run.customers, pl.LazyFrame)
assert_type(run.ledger, pl.DataFrame)
assert_type(run.warnings, list[str])
assert_type(run.result.segments[0].written, int)
assert_type(run.explain("c1").customers[0].segments[0].outcome, str | None)
assert_type(run.write("there").directory, str | None)
assert_type(rules.features(frame, {"orders": Path("o.csv")}), pl.LazyFrame)
assert_type(segkit.compile_segment(rules, "a", frame), pl.Expr)
assert_type(list(run), list[str])
try:
    segkit.apply("rules.toml", customers=3)  # type: ignore[arg-type]
except segkit.SegkitError as error:
    assert_type(error.exit_code, int)
"""


def test_callers_are_checked_by_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="a tool of developers")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--warn-unused-ignores",
        "--follow-imports=silent",
        str(script),
    ]
    environ = environment() | {"MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_frame_that_is_changed_later_does_not_change_the_run(shop: Desk) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["a", "b"], "country": ["FR", "FR"], "age": [20.0, 30.0], "ok": [True, True]})
    run = segkit.apply(shop / "rules.toml", customers=frame, events={"orders": ORDERS})
    before = run.customers.collect()
    frame.loc[:, "age"] = -1.0
    assert_frame_equal(run.customers.collect(), before)


# --- audit


def test_audit_finds_what_the_command_finds(desk: Desk) -> None:
    text = "id,email,sum\n1,a@x.example,1.5\n2,nobody,\n2,b@x.example,2.5\n"
    path = desk.put("c.csv", text)
    found = segkit.audit(path, as_of=dt.date(2024, 6, 30))
    told = json.loads(desk.segkit("audit", path, "--json", "--as-of", "2024-06-30").stdout)
    assert [(one["column"], one["kind"], one["rows"], one["message"]) for one in told["findings"]] == (
        found.findings.select("column", "kind", "rows", "message").rows()
    )
    of_columns = told["tables"][0]["columns"]
    for name in ("read_as", "filled", "missing", "distinct", "invalid", "personal", "notes"):
        assert found.columns[name].to_list() == [column[name] for column in of_columns]
    assert repr(found) == f"<segkit.Audit {path}: 2 warnings>"
    assert [table.rows for table in found.result.tables] == [3]


def test_audit_of_frames(desk: Desk) -> None:
    frame = pl.DataFrame({"id": [1, 2], "email": ["a@x.example", "zach@secret"]})
    found = segkit.audit(frame, frame.lazy(), desk.put("c.csv", "id\n1\n"), key="id", kind="customers")
    assert found.columns["table"].unique(maintain_order=True).to_list() == [
        "frame://data", "frame://data1", str(desk / "c.csv"),
    ]  # fmt: skip
    assert found.findings.filter(kind="invalid")["values"].to_list() == ["aaaa@aaaaaa"] * 2
    assert "zach" not in f"{found} {found.findings} {found.columns} {found.result}"
    pandas_like = duckdb.sql("select 1 as id, 'x' as note")
    assert segkit.audit(pandas_like).result.tables[0].rows == 1


def test_audit_of_rules(desk: Desk) -> None:
    desk.put("c.csv", "id,email\n1,\n")
    rules = desk.put("rules.toml", head(path="c.csv") + '[audit]\nrequired = ["email"]\n')
    found = segkit.audit(rules)
    assert found.findings.filter(severity="error").select("kind", "rows").rows() == [("required", 1)]


WRONG_AUDITS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "nothing": (segkit.audit, segkit.RuleError, "there is nothing to audit"),
    "no table": (lambda: segkit.audit(5), segkit.RuleError, "is no table"),  # type: ignore[arg-type]
    "no file": (lambda: segkit.audit("nowhere.csv"), segkit.DataError, "nowhere.csv"),
    "a kind": (lambda: segkit.audit(CUSTOMERS, kind="event"), segkit.RuleError, "did you mean `events`?"),
    "a day": (lambda: segkit.audit(CUSTOMERS, as_of="2024"), segkit.RuleError, "`as_of` is a day"),  # type: ignore[arg-type]
    "a length": (lambda: segkit.audit(CUSTOMERS, obsolete="long"), segkit.RuleError, "no length of time"),
    "a key": (lambda: segkit.audit(CUSTOMERS, key="idd"), segkit.DataError, "no column `idd`"),
}


@pytest.mark.parametrize(("call", "error", "message"), WRONG_AUDITS.values(), ids=WRONG_AUDITS)
def test_audit_says_what_is_wrong(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
