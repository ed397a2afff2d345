"""`--memory` and `--buckets`: the same lists as all customers at once, whatever comes in and whatever is asked."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from segkit.columns.plan.plan import Plan
from segkit.engines.engine import Parcel
from segkit.engines.foreseen import _limits as limits_of
from segkit.engines.spread import spread
from segkit.errors import RuleError, WriteError
from segkit.io.read import Workspace
from tests.desk import Desk
from tests.shipped import PASSWORD, Shipped
from tests.web import serving

HEAD = """version = 1
as_of = 2024-06-30
[customers]
path = "{customers}"
key = "id"
{of_customers}
[events.orders]
path = "{orders}"
time = "day"
amount = "amount"
{of_orders}
"""
CUSTOMERS = "id,country,points\n" + "".join(f"{n:02},{'FR' if n % 3 else 'DE'},{n * 11 % 17}\n" for n in range(40))
ORDERS = "id,day,amount,product,number\n" + "".join(
    f"{n * 7 % 43:02},2024-0{1 + n % 6}-1{n % 10},{n}.50,{'ab'[n % 2]},{n // 2}\n" for n in range(200)
)
SEGMENTS: dict[str, str] = {
    "shares, scores and bands": """[rfm]
events = "orders"
ties = "split"
[trait.band]
bands = { of = "points", quantiles = 4, per = ["country"] }
[segment.top]
demographic.points.top_percent = { percent = 20, per = ["country"] }
[segment.champions]
rfm.r_score.min = 3
each = ["band"]
""",
    "limits by share and by group": """[segment.a]
everyone = true
limit = { percent = 30, by = "points", per = ["country"] }
holdout = 20
[segment.b]
everyone = true
limit = { count = 7 }
split = { A = 50, B = 50 }
[assignment]
mode = "exclusive"
""",
    "limits by a value": """[segment.a]
geographic.country = "FR"
limit = { count = 7, by = "points" }
[segment.b]
everyone = true
limit = { percent = 20, by = "points" }
""",
    "events since a date that a cut gives": """[trait.band]
bands = { of = "points", quantiles = 2 }
[trait.begin]
sql = "CASE WHEN band = 1 THEN DATE '2024-02-01' ELSE DATE '2024-04-01' END"
[trait.revenue]
measure = "sum"
events = "orders"
since = { column = "begin" }
[trait.share]
bands = { of = "revenue", quantiles = 3 }
[segment.a]
demographic.share.is = 3
each = ["band"]
[output]
columns = ["begin", "revenue"]
""",
    "which came first": """[trait.first]
measure = "first"
of = "product"
events = "orders"
[trait.often]
measure = "most_frequent"
of = "product"
events = "orders"
[segment.a]
behavioural.did = { events = "orders", where.product = "a", then = { where.product = "b", within = "60 days" } }
[segment.all]
everyone = true
[output]
columns = ["first", "often"]
combined = "everybody.csv"
""",
    "medians and profiles": """[trait.revenue]
measure = "sum"
events = "orders"
[trait.middle]
measure = "median"
events = "orders"
[segment.a]
geographic.country = "FR"
[segment.nobody]
geographic.country = "XX"
[output]
profile = ["revenue", "middle"]
""",
}


@pytest.fixture
def pieces() -> Iterator[None]:
    """Tables are read a few rows at a time."""
    with patch("segkit.engines.spread.ROWS", 7):
        yield


def run(desk: Desk, rules: str, *options: str, code: int | None = 0, input: bytes | None = None) -> Any:
    """What a run says, and writes; manifests without times."""
    desk.put("rules.toml", rules)
    done = desk.segkit("apply", desk / "rules.toml", "-o", desk / "out", "--json", *options, code=code, input=input)
    said = json.loads(done.stdout) if done.stdout else {}
    said.pop("elapsed_seconds", None)
    files = {
        str(path.relative_to(desk.folder)): path.read_bytes() for path in (desk / "out").rglob("*") if path.is_file()
    }
    if manifest := files.pop("out/manifest.json", None):
        files["manifest"] = {key: value for key, value in json.loads(manifest).items() if key != "times"}  # type: ignore[assignment]
    for path in sorted((desk / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return done.exit_code, done.stderr, said, files


def check(desk: Desk, rules: str, *options: str, code: int = 0, input: bytes | None = None) -> None:
    whole = run(desk, rules, *options, code=code, input=input)
    for number in ("1", "3", "50"):
        assert run(desk, rules, "--buckets", number, *options, code=code, input=input) == whole


def rules_of(segments: str, customers: str = "c.csv", orders: str = "o.csv", **more: str) -> str:
    of = {"of_customers": more.get("of_customers", ""), "of_orders": more.get("of_orders", "")}
    return HEAD.format(customers=customers, orders=orders, **of) + segments


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    return desk


@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
def test_rules(shop: Desk, segments: str, pieces: None) -> None:
    check(shop, rules_of(segments))


@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
def test_elsewhere(shop: Desk, segments: str, pieces: None) -> None:
    """What other machines get to know of a run is all that they need, and each may do anything twice."""
    whole = run(shop, rules_of(segments))
    with patch("segkit.engines.spread.Local", Shipped):
        assert run(shop, rules_of(segments), "--buckets", "3") == whole


def test_what_goes_wrong_elsewhere_comes_back(shop: Desk, pieces: None) -> None:
    """As it is here: keys to be trimmed, a file that breaks in the middle; of several, what comes first."""
    shop.put("o.csv", ORDERS + " 05 ,2024-06-01,3.00,a,999\n")
    orders = pl.read_csv(shop / "o.csv", try_parse_dates=True, schema_overrides={"id": pl.String})
    orders.write_parquet(shop / "o.parquet", row_group_size=20, compression="uncompressed")
    rules = rules_of(SEGMENTS["medians and profiles"], orders="o.parquet")
    whole = run(shop, rules)
    with patch("segkit.engines.spread.Local", Shipped):
        assert run(shop, rules, "--buckets", "3") == whole
    content = bytearray((shop / "o.parquet").read_bytes())
    content[40:2_000] = b"\xff" * 1_960
    shop.put("o.parquet", bytes(content))
    whole = run(shop, rules, code=3)
    assert "is damaged" in whole[1]
    with patch("segkit.engines.spread.Local", Shipped):
        assert run(shop, rules, "--buckets", "3", code=3) == whole


def test_the_first_error_counts(tmp_path: Path) -> None:
    def fails(item: int) -> int:
        if item > 2:
            raise WriteError.of(f"no {item}", hint="so")
        return item

    def split(item: int) -> Iterator[Parcel]:
        yield Parcel(item % 2, "t", item, bytes(fails(item)))

    def gather(bucket: int, parcels: Iterable[Parcel]) -> int:
        return sum(parcel.piece for parcel in parcels) + fails(10 * bucket)

    engine = Shipped(tmp_path, 1)
    assert engine.map(fails, [0, 1, 2]) == [0, 1, 2]
    with pytest.raises(WriteError, match=r"error: no 4\nhint: so"):
        engine.map(fails, [0, 4, 3])
    assert engine.exchange(split, [2], 1, gather) == [2]
    with pytest.raises(WriteError, match="no 10"):
        engine.exchange(split, [0, 1, 2], 2, gather)
    with pytest.raises(WriteError, match="no 7"):
        engine.exchange(split, [2, 7, 5, 4, 3], 2, gather)
    with patch("tests.shipped.versions", dict), pytest.raises(RuleError, match="a machine of the cluster has Python"):
        engine.map(fails, [0])


def test_no_secret_leaves_this_machine(shop: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path) as (web, trusted):
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        for name in ("c.csv", "o.csv"):
            web.put(f"/{name}?token={PASSWORD}", (shop / name).read_bytes())
        login = web.root.replace("://", f"://me:{PASSWORD}@")
        places = [f"{login}/{name}?token={PASSWORD}" for name in ("c.csv", "o.csv")]
        lists = [f"{login}/export?token={PASSWORD}&list={name}" for name in "ab"]
        for name, key in zip("ab", ("03", "07"), strict=True):
            web.put(f"/export?token={PASSWORD}&list={name}", f"id\n{key}\n".encode())
        rules = rules_of(SEGMENTS["shares, scores and bands"], *places)
        rules += f"[segment.all]\neveryone = true\n[consent]\nsuppress = {json.dumps(lists)}\n"
        whole = run(shop, rules)
        with patch("segkit.engines.spread.Local", Shipped):
            assert run(shop, rules, "--buckets", "3") == whole
    assert b"\n03," not in whole[-1]["out/all.csv"] and b"\n07," not in whole[-1]["out/all.csv"]


OF_SOURCES: dict[str, tuple[str, str]] = {
    "duplicates first": ('duplicates = "first"', ""),
    "duplicates last": ('duplicates = "last"', ""),
    "keys in normal form": ('normalise_keys = ["zeros"]', ""),
    "rows left out": ('where.country = "FR"', 'where.product.not = "b"'),
    "an id, whose amount counts once": ("", 'id = "number"\namount_per = "event"\n'),
    "lines that come twice": ("", 'duplicates = "drop"'),
    "fields filled from above": ("", 'id = "number"\nfill_down = ["product"]'),
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("of", OF_SOURCES.values(), ids=OF_SOURCES)
def test_sources(shop: Desk, of: tuple[str, str], form: str, pieces: None) -> None:
    text = (shop / "o.csv").read_text()
    if "amount_per" in of[1]:
        lines = [line.split(",") for line in text.splitlines()[1:]]
        text = "id,day,amount,product,number\n"
        text += "".join(f"{n:02},2024-01-0{1 + n % 9},{n}.5,{line[3]},{n}\n" for n in range(40) for line in lines[:2])
    if "drop" in of[1]:
        text += text.partition("\n")[2]
    if "fill_down" in of[1]:  # so that what is filled comes from other pieces, too
        text = "".join(
            line if not n % 15 else re.sub(",[ab],", ",,", line)
            for n, line in enumerate(text.splitlines(keepends=True))
        )
    shop.put("o.csv", text)
    if "duplicates" in of[0]:
        shop.put("c.csv", CUSTOMERS + CUSTOMERS.partition("\n")[2].replace("FR", "IT"))
    for name in ("c", "o") if form == "parquet" else ():
        rows = pl.read_csv(shop / f"{name}.csv", try_parse_dates=True, schema_overrides={"id": pl.String})
        rows.write_parquet(shop / f"{name}.parquet")
    of_customers, of_orders = of
    check(
        shop,
        rules_of(
            SEGMENTS["medians and profiles"],
            f"c.{form}",
            f"o.{form}",
            of_customers=of_customers,
            of_orders=of_orders,
        ),
    )


def test_padded_keys(shop: Desk, pieces: None) -> None:
    """Of Parquet, and of a large text, it is not known before that there are any."""
    shop.put("o.csv", ORDERS + " 05 ,2024-06-01,3.00,a,999\n")
    check(shop, rules_of(SEGMENTS["medians and profiles"]))
    pl.read_csv(shop / "o.csv", try_parse_dates=True, schema_overrides={"id": pl.String}).write_parquet(
        shop / "o.parquet"
    )
    check(shop, rules_of(SEGMENTS["medians and profiles"], orders="o.parquet"))


def test_padded_keys_that_come_late(shop: Desk) -> None:
    line = "05,2024-06-01,3.00,a,999\n"
    shop.put("o.csv", ORDERS + 100_000 * line + f" {line}" + 30_000 * line)
    check(shop, rules_of(SEGMENTS["medians and profiles"]))


def test_parquet_and_several_files(shop: Desk, pieces: None) -> None:
    orders = pl.read_csv(shop / "o.csv", try_parse_dates=True, schema_overrides={"id": pl.String})
    (shop / "parts").mkdir()
    for number, rows in enumerate((orders.head(9), orders.head(0), orders.slice(9))):
        rows.with_columns(pl.col("product").cast(pl.Categorical)).write_parquet(shop / f"parts/{number}.parquet")
    check(shop, rules_of(SEGMENTS["which came first"], orders="parts/*.parquet"))


def test_which_came_first_after_a_join(desk: Desk) -> None:
    """A join of many rows at once does not keep their order, nor does the way of pieces from elsewhere."""
    many = pl.int_range(60_000, eager=True)
    of = many * 7_919  # as if drawn
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(2_000)))
    desk.put("p.csv", "product,category\n" + "".join(f"{n},c{n % 7}\n" for n in range(500)))
    orders = {"id": "k" + (of % 2_003).cast(pl.String), "day": ["2024-01-01"] * 60_000, "note": many}
    desk.put("o.parquet", pl.DataFrame({**orders, "product": of % 499, "amount": many}))
    lookup = '[lookup.products]\npath = "p.csv"\ninto = "orders"\non = "product"\n'
    traits = '[trait.last]\nmeasure = "last"\nof = "note"\nevents = "orders"\n'
    traits += '[trait.first]\nmeasure = "first"\nof = "category"\nevents = "orders"\n'
    segments = '[output]\ncolumns = ["last", "first"]\n[segment.all]\neveryone = true\n'
    rules = rules_of(lookup + traits + segments, orders="o.parquet", of_orders='where.category.not = "c3"')
    whole = run(desk, rules)
    assert run(desk, rules, "--buckets", "5") == whole
    with patch("segkit.engines.spread.Local", Shipped), patch("segkit.engines.spread.ROWS", 20_000):
        assert run(desk, rules, "--buckets", "5") == whole


def test_packed_and_standard_input(shop: Desk, pieces: None) -> None:
    shop.put("o.csv.gz", gzip.compress(ORDERS.encode()))
    check(shop, rules_of(SEGMENTS["medians and profiles"], orders="o.csv.gz"))
    check(shop, rules_of(SEGMENTS["medians and profiles"], orders="-"), input=ORDERS.encode())


def _with_texts(**of: str) -> str:
    """The orders with one more column, of which some are these; all others say `x`."""
    lines = [f"{line},x" for line in ORDERS.splitlines()]
    lines[0] = lines[0].removesuffix("x") + "note"
    for place, note in of.items():
        number = int(place.removeprefix("row"))
        lines[number] = lines[number].removesuffix("x") + note
    return "\n".join(lines) + "\n"


TEXTS: dict[str, tuple[str | bytes, str, int]] = {
    "line breaks in fields": (_with_texts(**{f"row{n}": f'"a\n{n}, ""b""\n\n"' for n in range(1, 90, 3)}), "", 0),
    "a header of two lines": (_with_texts().replace("note", '"the\nnote"', 1), "", 0),
    "blank lines": (_with_texts().replace("\n0", "\n\n0").replace("\n", "\n\n", 1) + "\n\n", "", 0),
    "blank lines above, and a mark of UTF-8": (b"\xef\xbb\xbf\n\r\n" + _with_texts().encode(), "", 0),
    "line ends of Windows": (_with_texts(row5='"a\n"').replace("\n", "\r\n"), "", 0),
    "no line end at the end": (_with_texts().rstrip("\n"), "", 0),
    "no header": (_with_texts().partition("\n")[2], 'header = ["id", "day", "amount", "product", "number", "n"]', 0),
    "no header, and a mark of UTF-8": (
        b"\xef\xbb\xbf" + re.sub(r"(?m)^(.*?,.*?,.*?),(\w),", r"\2,\1,", _with_texts().partition("\n")[2]).encode(),
        'header = ["product", "id", "day", "amount", "number", "n"]',
        0,
    ),
    "other encoding": (_with_texts(row3="caf\u00e9 \u201cx\u201d").encode("cp1252"), 'encoding = "cp1252"', 0),
    "inches": (_with_texts(row3='5" or 7', row9='"a, ""b"""'), "", 0),
    "a digit between fields": (
        re.sub("[,;]", "8", re.sub(r"\d", lambda d: "0123456789"[int(d[0]) % 7], _with_texts())),
        'delimiter = "8"',
        0,
    ),
    "columns with other names": (_with_texts().replace("note", "n", 1), 'rename = { note = "n" }', 0),
    "long lines": (_with_texts(row50="x,y"), "", 3),
    "short lines": (_with_texts(row50="x\n05,2024-01-01"), "", 3),
    "short lines, padded": (_with_texts(row50="x\n05,2024-01-01"), 'ragged = "pad"', 0),
    "a value that is none": (_with_texts(row80="x\n05,2024-13-01,1.00,a,7,x"), "", 3),
    "only a header": (_with_texts().partition("\n")[0], "", 0),
}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("name", TEXTS)
def test_lines_of_texts(shop: Desk, name: str, large: bool, pieces: None) -> None:
    """Texts are read in ranges of lines where they are, as if each were the whole."""
    content, keys, code = TEXTS[name]
    shop.put("o.csv", content)
    rules = rules_of(SEGMENTS["which came first"], of_orders=keys)
    with patch("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 0 if large else 1 << 20):
        whole = run(shop, rules, code=code)
        copied = AssertionError("the text was copied")
        with (
            patch("segkit.engines.spread.Local", Shipped),
            patch("segkit.engines.pieces.completed", side_effect=copied),
        ):
            assert run(shop, rules, "--buckets", "3", code=code) == whole


def test_lines_of_json(shop: Desk, pieces: None) -> None:
    """Keys that come late, others that are missing, and types that a later line settles."""
    orders = pl.read_csv(shop / "o.csv", schema_overrides={"id": pl.String}).rows(named=True)
    for number, order in enumerate(orders):
        if number == 70:
            order.update({"amount": 1.5, "note": "late", "of": {"a": 1}})
        elif number % 5:
            order.update({"product": None} if number % 2 else {"amount": 3})
    lines = [json.dumps(order) for order in orders]
    for keys in ("", 'rename = { product = "item" }'):
        text = "\n".join(lines).replace('"product"', '"item"') if keys else "\n\n".join(lines)
        shop.put("o.ndjson", text)
        with patch("segkit.engines.pieces.completed", side_effect=AssertionError("the text was copied")):
            check(shop, rules_of(SEGMENTS["medians and profiles"], orders="o.ndjson", of_orders=keys))
    shop.put("o.ndjson", text + "\n{")
    check(shop, rules_of(SEGMENTS["medians and profiles"], orders="o.ndjson"), code=3)
    lines[4] = lines[4].replace('"product": ', '"product": 7, "was": ')
    shop.put("o.ndjson", "\n".join(lines))  # numbers among texts: only the whole tells
    check(shop, rules_of(SEGMENTS["medians and profiles"], orders="o.ndjson"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_customers_from_events(shop: Desk, form: str, pieces: None) -> None:
    pl.read_csv(shop / "o.csv", try_parse_dates=True, schema_overrides={"id": pl.String}).write_parquet(
        shop / "o.parquet"
    )
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\nfrom = "orders"\nkey = "id"\ncolumns = ["product"]\n'
    orders = f'[events.orders]\npath = "o.{form}"\nkey = "id"\ntime = "day"\namount = "amount"\n'
    segments = (
        '[segment.a]\npsychographic.product = "a"\n[segment.b]\nbehavioural.did = { events = "orders", min = 3 }\n'
    )
    check(shop, head + orders + segments)


@pytest.mark.parametrize(
    ("customers", "orders"),
    [
        ("id,country,points\n", ORDERS),
        (CUSTOMERS, "id,day,amount,product,number\n"),
        (CUSTOMERS, "id,day,amount,product,number\n" + "07,2024-01-01,1.00,a,1\n" * 60),
    ],
    ids=["no customers", "no orders", "one customer has all orders"],
)
def test_edges(shop: Desk, customers: str, orders: str, pieces: None) -> None:
    shop.put("c.csv", customers)
    shop.put("o.csv", orders)
    check(shop, rules_of(SEGMENTS["medians and profiles"]))


@pytest.mark.parametrize(
    ("customers", "orders", "code"),
    [
        (CUSTOMERS + "05,FR,3\n", ORDERS, 3),
        (CUSTOMERS, ORDERS + "05,2024-02-30,1.00,a,1\n", 3),
        (CUSTOMERS, ORDERS + "05,2024-02-03,much,a,1\n", 3),
        (CUSTOMERS, "id,day,amount,product,number\nx1,2024-02-03,1.00,a,1\n", 3),
    ],
    ids=["a key that comes twice", "a day that there is not", "no amount", "events of nobody"],
)
def test_errors(shop: Desk, customers: str, orders: str, code: int, pieces: None) -> None:
    shop.put("c.csv", customers)
    shop.put("o.csv", orders)
    check(shop, rules_of(SEGMENTS["medians and profiles"]), code=code)


@pytest.mark.parametrize(("age", "code"), [("11 days", 0), ("10 days", 1)])
def test_the_last_day_of_all(shop: Desk, age: str, code: int, pieces: None) -> None:
    """It is 19 June, which stands in the middle."""
    expect = f'expect = {{ max_age = "{age}" }}'
    check(shop, rules_of(SEGMENTS["medians and profiles"], of_orders=expect), code=code)


@pytest.mark.parametrize("name", ["0", "1", "2"])
def test_a_table_that_is_called_as_a_number(shop: Desk, name: str, pieces: None) -> None:
    """What buckets keep of it from one round to the next is not taken for that of a round."""
    rules = rules_of(SEGMENTS["events since a date that a cut gives"])
    check(shop, rules.replace("[events.orders]", f"[events.{name}]").replace('"orders"', f'"{name}"'))


def test_a_lookup_by_what_a_cut_gives(shop: Desk, pieces: None) -> None:
    """How many customers have a row there is known once the cut is."""
    shop.put("names.csv", "band,tier\n1,low\n2,middle\n")
    check(
        shop,
        rules_of(
            """[trait.band]
bands = { of = "points", quantiles = 4 }
[lookup.names]
path = "names.csv"
on = { band = "band" }
columns = ["tier"]
[segment.a]
demographic.tier = "low"
[output]
columns = ["band", "tier"]
"""
        ),
    )


def test_few_keys_in_another_spelling_are_a_warning(desk: Desk) -> None:
    """They are few of all keys of the table, though all of those that no customer has."""
    desk.put("c.csv", "id,country,points\n" + "".join(f"{n:05},FR,1\n" for n in range(2_000)))
    ids = [*(f"{n:05}" for n in range(2_000)), *map(str, range(15))]
    desk.put("o.csv", "id,day,amount,product,number\n" + "".join(f"{i},2024-01-01,1.00,a,1\n" for i in ids))
    check(desk, rules_of(SEGMENTS["medians and profiles"]))


def test_changes(shop: Desk, pieces: None) -> None:
    """Two days in a row, of which the second has lost some orders."""
    rules = rules_of(SEGMENTS["shares, scores and bands"]) + "[output]\nchanges = true\n"
    for options in ((), ("--buckets", "4")):
        name = "with" if options else "without"
        shop.put("o.csv", ORDERS)
        shop.apply(rules, "-o", shop / name, *options)
        shop.put("o.csv", "\n".join(ORDERS.splitlines()[:120]) + "\n")
        shop.apply(rules, "-o", shop / name, *options)
    files = [{p.name: p.read_bytes() for p in (shop / n).glob("*.csv")} for n in ("with", "without")]
    assert files[0] == files[1] and any("left" in name for name in files[0])


@pytest.mark.parametrize("option", [("--dry-run",), ("-o", "-")])
def test_nothing_is_written(shop: Desk, option: tuple[str, ...], pieces: None) -> None:
    rules = rules_of(SEGMENTS["limits by share and by group"])
    whole = shop.apply(rules, "--summary", "none", *option)
    found = shop.apply(rules, "--summary", "none", *option, "--buckets", "4")
    assert (found.stdout_bytes, found.stderr) == (whole.stdout_bytes, whole.stderr)


def test_memory(shop: Desk, tmp_path: Path) -> None:
    """As an option, or of the environment; what lies on disk in between is gone, also after a failure."""
    rules = rules_of(SEGMENTS["medians and profiles"])
    whole = run(shop, rules)
    assert run(shop, rules, "--memory", "1GB") == whole
    with patch("segkit.engines.spread.SAFE", 1_000_000):
        assert run(shop, rules, "--memory", "1GB") == whole
        assert "computing customers in 1 bucket" in shop.apply(rules, "--memory", "1GB", "-v").stderr
    (folder := tmp_path / "temporary").mkdir()
    env = {"SEGKIT_MEMORY": "little", "SEGKIT_APPLY_MEMORY": "0.6 GB", "TMPDIR": str(folder)}
    assert shop.process("apply", "rules.toml", "-o", "o1", "--buckets", "3", env=env).returncode == 0
    shop.put("c.csv", CUSTOMERS + "05,FR,3\n")
    assert shop.process("apply", "rules.toml", "-o", "o2", "--buckets", "3", env=env).returncode == 3
    assert list(folder.iterdir()) == []
    assert b"not a size" in shop.process("apply", "rules.toml", env={"SEGKIT_MEMORY": "little"}).stderr


def test_less_memory_makes_more_buckets(shop: Desk) -> None:
    def buckets(memory: str) -> int:
        said = shop.apply(rules_of(SEGMENTS["medians and profiles"]), "--memory", memory, "-v").stderr
        return int(re.findall(r"computing customers in (\d+) buckets", said)[0])

    with patch("segkit.engines.spread.SAFE", 1_000_000), patch("segkit.engines.spread.AT_ONCE", 50_000):
        assert buckets("512MB") > buckets("1GB") > 1


def test_what_is_computed_anew_takes_no_more_disk(shop: Desk) -> None:
    """A late value settles how a column is read: the buckets of the first attempt are gone by the second."""
    points = "".join(f"p{n},FR,{1.5 if n == 200_000 else n % 9}\n" for n in range(250_000))
    shop.put("c.csv", CUSTOMERS + points)
    rules = rules_of("[segment.a]\ndemographic.points.min = 7\n")
    before: list[list[str]] = []

    def computing(plan: Plan, ws: Workspace, *rest: Any) -> Any:
        found = spread(plan, ws, *rest)
        folder = ws.new_file("").parent
        before.append([path.name for path in folder.rglob("*.arrow")])
        return found

    with patch("segkit.operations.evaluation.settle.spread", computing):
        shop.apply(rules, "--buckets", "2")
    assert before == [[], []]


@pytest.mark.parametrize("failures", [2, 99])
def test_the_folder_goes_also_where_somebody_still_writes_to_it(shop: Desk, failures: int) -> None:
    """What cannot be removed in the end is told: it holds rows of customers."""
    (shop / "work").mkdir()
    really, tried = TemporaryDirectory.cleanup, itertools.count()

    def cleanup(folder: TemporaryDirectory[str]) -> None:
        if next(tried) < failures:
            folder._finalizer.detach()  # type: ignore[attr-defined]  # as the real one does, before it fails
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        really(folder)

    rules = rules_of(SEGMENTS["medians and profiles"])
    with patch.object(TemporaryDirectory, "cleanup", cleanup), patch("segkit.io.read.workspace.time.sleep"):
        done = shop.apply(rules, "--work", shop / "work", "--buckets", "3", code=0 if failures == 2 else 4)
    assert any((shop / "segments").iterdir())
    assert bool(done.stderr) == any((shop / "work").iterdir()) == (failures > 2)
    assert "it holds rows of customers" in done.stderr or failures == 2
    shutil.rmtree(shop / "work")


@pytest.mark.parametrize(
    ("size", "message"), [("lots", "is not a size such as 4GB"), ("100MB", "plan with 512MB or more"), ("4", "4GB")]
)
def test_sizes(shop: Desk, size: str, message: str) -> None:
    assert message in shop.apply(rules_of(SEGMENTS["medians and profiles"]), "--memory", size, code=2).stderr


def test_a_run_that_may_take_most_of_the_memory_says_so(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, before it does; what is published is the same on all machines."""
    rules = rules_of(SEGMENTS["medians and profiles"])
    code, quiet, said, files = run(shop, rules)
    monkeypatch.setattr("segkit.engines.foreseen.memory_there", lambda: 160_000_000)
    monkeypatch.setattr("segkit.engines.foreseen._MOST", 100_000)
    note = "note: this run may take 0.1 GB of memory, and there are 0.2 GB\n"
    note += "hint: `--memory 1GB` computes the customers in buckets, with the same lists\n"
    assert run(shop, rules) == (code, note + quiet, said, files)
    assert shop.segkit("check", "--data", shop / "rules.toml", code=None).stderr.count(note) == 1
    assert note not in shop.apply(rules, "-q").stderr
    assert note not in shop.apply(rules, "--memory", "1GB").stderr
    monkeypatch.setattr("segkit.engines.foreseen.memory_there", lambda: None)  # nobody knows
    assert run(shop, rules) == (code, quiet, said, files)


@pytest.mark.parametrize(
    ("groups", "files", "limits"),
    [
        ("0::/a/b\n", {"a/memory.max": "4000", "a/b/memory.max": "max", "memory.max": "9000"}, [4000, 9000]),
        ("9:cpu:/x\n4:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "700"}, [700]),
        ("3:cpu,memory:/\n", {"memory/memory.limit_in_bytes": "5", "memory.limit_in_bytes": "1"}, [5]),
        ("0::/../..\n", {}, []),
    ],
)
def test_limits_of_control_groups(tmp_path: Path, groups: str, files: dict[str, str], limits: list[int]) -> None:
    (tmp_path / "groups").write_text(groups)
    root = tmp_path / "root"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    assert limits_of(tmp_path / "groups", root) == limits
    assert limits_of(tmp_path / "none", root) == []


CHECKED = """[rfm]
events = "orders"
[consent.channel.email]
require.news = "yes"
[mavr]
contact = { email = "mail" }
[trait.band]
bands = { of = "points", quantiles = 4 }
[segment.french]
geographic.country = "FR"
[segment.most]
demographic.points.min = 1
channel = "email"
limit = { count = 9, by = "points" }
[segment.some]
demographic.band.is = 2
channel = "email"
limit = { percent = 50, by = "points" }
[segment.nobody]
geographic.country = "fr"
[segment.all]
demographic.points.min = 0
[segment.loyal]
rfm.f_score.min = 4
expect = { min_size = 30 }
"""


def test_check_with_data(shop: Desk, pieces: None) -> None:
    """What is said of segments is counted part by part: their members, whom they reach, what these are worth."""
    people = CUSTOMERS.splitlines()
    more = [
        f"{line},{'yes' if n % 2 else 'no'},{'' if n % 5 else f'{n}@x.example'}" for n, line in enumerate(people[1:])
    ]
    shop.put("c.csv", "\n".join([f"{people[0]},news,mail", *more]) + "\n")
    shop.put("rules.toml", rules_of(CHECKED))
    whole = shop.segkit("check", shop / "rules.toml", "--data", "--json", code=None)
    codes = {one["code"] for one in json.loads(whole.stdout)["diagnostics"]}
    assert len(codes) > 4, codes
    with patch("segkit.engines.spread.SAFE", 1_000_000):
        found = shop.segkit("check", shop / "rules.toml", "--data", "--json", "--memory", "512MB", code=None)
    assert found.stdout == whole.stdout


def test_memory_is_for_data(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("rules.toml", rules_of(SEGMENTS["medians and profiles"]))
    error = shop.segkit("check", shop / "rules.toml", "--memory", "1GB", code=2).stderr
    assert "`--memory` is for `--data`" in error
    monkeypatch.setenv("SEGKIT_MEMORY", "1GB")
    shop.segkit("check", shop / "rules.toml")
    monkeypatch.setenv("SEGKIT_CHECK_MEMORY", "1MB")
    assert "`1MB` is too little" in shop.segkit("check", shop / "rules.toml", "--data", code=2).stderr


def _json_lines(**of: str) -> str:
    """The orders as lines of JSON with `v` = 5, of which some are these, or end so."""
    orders = pl.read_csv(ORDERS.encode(), schema_overrides={"id": pl.String}).rows(named=True)
    lines = [json.dumps({**order, "v": 5}) for order in orders]
    for place, text in of.items():
        number = int(place.removeprefix("row")) - 1
        lines[number] = lines[number].replace("5}", f"{text}}}") if text[0] != "=" else text[1:]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (_json_lines(row70="=null"), "this line is no object of JSON", 70),
        (_json_lines(row70="=7"), "this line is no object of JSON", 70),
        (_json_lines(row70='1.5, "v": 5'), "this line has the key `v` twice", 70),
        (_json_lines(row70="true"), "`v` is true or false in some lines, and a number in others", 70),
        (_json_lines(row1="true"), "`v` is true or false in some lines, and a number in others", 2),
    ],
)
def test_lines_of_json_that_cannot_be_read(shop: Desk, text: str, message: str, line: int, pieces: None) -> None:
    """It is told which line, and why, as of other texts."""
    shop.put("o.ndjson", text)
    traits = '[trait.t]\nmeasure = "last"\nof = "v"\nevents = "orders"\n[segment.all]\neveryone = true\n'
    rules = rules_of(traits + '[output]\ncolumns = ["t"]\n', orders="o.ndjson")
    check(shop, rules, code=3)
    said = run(shop, rules, code=3)[1]
    assert said.startswith(f"error: {message}") and f"o.ndjson:{line}\n" in said


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_files_whose_types_do_not_fit_together(shop: Desk, zone: str | None, pieces: None) -> None:
    """A time of a zone, and one of another or of none."""
    orders = pl.read_csv(ORDERS.encode(), try_parse_dates=True, schema_overrides={"id": pl.String})
    for number, of in enumerate(("UTC", zone)):
        shop.put(f"parts/{number}.parquet", orders.with_columns(pl.col("day").cast(pl.Datetime("us", of))))
    rules = rules_of(SEGMENTS["medians and profiles"], orders="parts/*.parquet")
    check(shop, rules, code=3)
    assert "error: column `day` is Datetime" in run(shop, rules, code=3)[1]
