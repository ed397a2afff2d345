"""Several RFM tables in one rule file: each is what it would be in a file of its own."""

from __future__ import annotations

import hashlib
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from segkit.columns.features.measures import measured_columns
from tests.desk import Desk

OWN = ("recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_code", "rfm_segment")
BRANDS = ("brand_a", "brand-b")
HEAD = """version = 1
as_of = {as_of}
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "total"
id = "order"
"""
EVERYONE = "[segment.all]\neveryone = true\n"


def orders(seed: int, count: int = 400) -> str:
    """Lines of orders of two brands, with many equal values, without a brand, without a total and of nobody."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        customer = rng.choice(["", "nobody", *(f"c{n}" for n in range(60))])
        day = f"2023-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        money = rng.choice(["", "5", "19.99", "19.99", "29.9", "-5", "333.33"])
        rows.append(f"{customer},{day},{money},{number // 2},{rng.choice(['a', 'a', 'b', ''])}\n")
    return "id,day,total,order,brand\n" + "".join(rows)


def customers(rows: int = 66) -> str:
    """More customers than there are with orders; some have no values of their own."""
    lines = [f"c{n},{n % 40},{n % 5 + 1},{n % 7}.5\n" if n % 9 else f"c{n},,,\n" for n in range(rows)]
    return "id,days,bought,spent\n" + "".join(lines)


def put(desk: Desk, *, seed: int = 1, rows: int = 66, count: int = 400) -> None:
    desk.put("c.csv", customers(rows))
    desk.put("o.csv", orders(seed, count))


def head(as_of: str = "2024-01-01") -> str:
    return HEAD.format(as_of=as_of)


def section(name: str, keys: str, maps: str = "") -> str:
    """A table by its name; "" is the one without."""
    title = f"rfm.{name}" if name else "rfm"
    return f"[{title}]\n{keys}\n{maps.replace('[[rfm.', f'[[{title}.')}\n"


def columns(name: str) -> list[str]:
    return [f"{name}_{column}" if name else column for column in OWN]


TABLES = {
    "by brand": ('events = "orders"\nwhere.brand = "a"', 'events = "orders"\nwhere.brand = "b"'),
    "nested": (
        'events = "orders"\nwhere.brand = "a"\nmethod = "nested"\nties = "high"',
        'events = "orders"\nwhere.brand = "b"\nmethod = "nested"\nbins = 3\nmap = "rf"',
    ),
    "split": (
        'events = "orders"\nwhere.brand = "a"\nties = "split"',
        'events = "orders"\nwhere.brand = "b"\nties = "split"\nmethod = "nested"\nbins = 10',
    ),
    "cutoffs": (
        'events = "orders"\nmethod = "cutoffs"\nbins = 3\n'
        "cutoffs = { recency = [30, 90.5], frequency = [2, 4], monetary = [20, 60.5] }",
        'events = "orders"\nwhere.brand = "b"\nwithin = "6 months"\nfrequency = "days"\nmonetary = "mean"',
    ),
    "columns of the customer": (
        'columns = { recency_days = "days", frequency = "bought", monetary = "spent" }',
        'events = "orders"\nbefore = 2023-09-01\nbins = 7',
    ),
    "nobody has such events": ('events = "orders"\nwhere.brand = "c"', 'events = "orders"'),
}
MAP = """[[rfm.segment]]
name = "best"
r = [3, 3]
f = [2, 3]
[[rfm.segment]]
name = "rest"
"""


@pytest.mark.parametrize("tables", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("own_map", [False, True])
@pytest.mark.parametrize("unnamed", [False, True])
def test_a_table_among_others_is_what_it_is_alone(
    desk: Desk, tables: tuple[str, str], own_map: bool, unnamed: bool
) -> None:
    put(desk)
    maps = ["", MAP if own_map and "map =" not in tables[1] else ""]
    names = ["", BRANDS[1]] if unnamed else list(BRANDS)
    text = "".join(section(*parts) for parts in zip(names, tables, maps, strict=True))
    both = desk.columns(head() + text, *columns(names[0]), *columns(names[1]))
    alone = [desk.columns(head() + section("", keys, own), *OWN) for keys, own in zip(tables, maps, strict=True)]
    assert both == {key: (*alone[0][key], *alone[1][key]) for key in alone[0]}
    assert any(row[:8] != row[8:] for row in both.values())


@pytest.mark.parametrize(("rows", "count"), [(0, 0), (0, 20), (1, 0), (1, 200), (2, 120)])
def test_few_customers_and_few_events(desk: Desk, rows: int, count: int) -> None:
    put(desk, rows=rows, count=count)
    text = "".join(map(section, BRANDS, TABLES["nested"]))
    both = desk.columns(head() + text, *columns(BRANDS[0]), *columns(BRANDS[1]))
    alone = [desk.columns(head() + section("", keys), *OWN) for keys in TABLES["nested"]]
    assert both == {key: (*alone[0][key], *alone[1][key]) for key in alone[0]}


def test_the_order_of_the_sections_changes_nothing(desk: Desk) -> None:
    put(desk)
    parts = [
        section(name, keys)
        for name, keys in zip(("", "a", "b"), (*TABLES["by brand"], TABLES["split"][0]), strict=True)
    ]
    names = [*columns(""), *columns("a"), *columns("b")]
    assert desk.columns(head() + "".join(parts), *names) == desk.columns(head() + "".join(reversed(parts)), *names)


def test_segments_scores_and_sql_look_at_any_table(desk: Desk) -> None:
    put(desk)
    text = head() + "".join(map(section, ("", *BRANDS), (TABLES["by brand"][0], *TABLES["by brand"])))
    text += """[trait.both]
sql = 'brand_a_monetary + "brand-b_monetary"'
[segment.of-a]
rfm = { brand_a_rfm_segment = ["champions", "loyal"], "brand-b_r_score" = { min = 1 } }
[segment.top-of-b]
rfm."brand-b_monetary".top_percent = 10
[segment.plain]
rfm = ["champions", "loyal"]
"""
    found = desk.json(text, "--dry-run")
    rows = desk.columns(text + "[segment.zz]\neveryone = true\n", *columns("brand_a"), *columns("brand-b"))
    loyal = {key for key, row in rows.items() if row[7] in ("champions", "loyal")}
    matched = {s["name"]: s["matched"] for s in found["segments"]}
    assert matched["plain"] == len(loyal) > matched["of-a"] == len({k for k in loyal if rows[k][8]}) > 0
    assert matched["top-of-b"] > 0


def test_tables_of_the_same_events_are_one_scan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put(desk)
    scans: list[tuple[str, int]] = []

    def counted(view: Any, measures: Any, dates: Any, others: Any) -> Any:
        scans.append((view.name, len({m.name for m in measures})))
        return measured_columns(view, measures, dates, others)

    monkeypatch.setattr("segkit.columns.bucket.measured_columns", counted)
    tables = "".join(
        map(section, ("", "a", "b", "again"), (TABLES["by brand"][0], *TABLES["by brand"], 'events = "orders"'))
    )
    desk.columns(head() + tables, "rfm_code", "a_rfm_code", "b_rfm_code", "again_rfm_code")
    assert scans == [("orders", 9)]  # three of each `where`: the table without a name has that of `a`


# --- what is said ---


def test_thresholds_are_told_apart(desk: Desk) -> None:
    put(desk)
    text = head() + "".join(map(section, ("", *BRANDS), (TABLES["by brand"][0], *TABLES["nested"])))
    found = desk.json(text + EVERYONE)["thresholds"]
    named = list(dict.fromkeys(t["column"] for t in found))
    assert named == [f"{name}_{c}" if name else c for name in ("", *BRANDS) for c in OWN[:3]]
    assert {tuple(t["within"]) for t in found if t["column"] == "brand-b_monetary"} == {
        ("brand-b_r_score", "brand-b_f_score")
    }
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert [t["column"] for t in manifest["thresholds"]] == [t["column"] for t in found]
    assert "rfm" not in manifest["thresholds"][0]
    shown = desk.apply(text + EVERYONE).stdout
    assert "Score  recency_days  frequency  monetary" in shown
    assert "Score  brand_a_recency_days" in shown
    assert "brand-b_monetary, within R and F: >" in shown


def test_top_scores_that_nobody_has(desk: Desk) -> None:
    desk.put("c.csv", "id\n" + "".join(f"c{n}\n" for n in range(8)))
    rows = "".join(f"c{n},2023-12-{n + 1:02},{n},{n},{brand}\n" for n in range(8) for brand in "ab")
    desk.put("o.csv", "id,day,total,order,brand\n" + rows)
    text = head() + "".join(map(section, ("", *BRANDS), ('events = "orders"\nties = "high"', *TABLES["by brand"])))
    warnings = [w for w in desk.json(text + EVERYONE)["warnings"] if "nobody has the top" in w["message"]]
    assert [(w["message"].split("`")[1], w["line"]) for w in warnings] == [
        ("brand_a_f_score", 15),
        ("brand-b_f_score", 19),
    ]
    assert "share the best `brand_a_frequency`" in warnings[0]["message"]


def test_segments_of_rfm_are_not_counted_as_stages_are(desk: Desk) -> None:
    put(desk)
    text = head() + "".join(map(section, ("", *BRANDS), ('events = "orders"', *TABLES["by brand"])))
    assert desk.json(text + EVERYONE)["distributions"] == []


def test_each_table_is_looked_at_for_what_may_be_wrong(desk: Desk) -> None:
    """Windows without a day, events that ended long ago, numbers that read two ways: also in the second table."""
    put(desk)
    desk.put("v.csv", "id,day,total\nc1,2019-01-01,1\nc2,2019-02-01,2\n")
    visits = '[events.visits]\npath = "v.csv"\ntime = "day"\namount = "total"\n'
    first = section("", 'events = "orders"')
    text = head() + visits + first + section("late", 'events = "orders"\nsince = 2024-02-01\nbefore = "1 day"')
    warnings = desk.json(text + section("v", 'events = "visits"') + EVERYONE)["warnings"]
    lines = [w["line"] for w in warnings if "the window has no day" in w["message"]]
    assert [text.splitlines()[line - 1] for line in lines] == ['before = "1 day"']
    assert any("2019-02-01" in w["message"] for w in warnings), warnings
    desk.put("c.csv", "id;d;f;m\n" + "".join(f"c{n};1;1;{n}.500\n" for n in range(1, 5)))
    own = section("a", 'columns = { recency_days = "d", frequency = "f", monetary = "d" }')
    own += section("b", 'columns = { recency_days = "d", frequency = "f", monetary = "m" }')
    assert "no value settles which, and it is added up" in desk.apply(head() + own + EVERYONE, code=3).stderr


def test_a_column_may_be_called_like_a_key_of_tables(desk: Desk) -> None:
    """`where` holds what people call their columns: it is no table."""
    put(desk)
    desk.put("o.csv", orders(1).replace("brand", "events", 1))
    rows = desk.columns(head() + section("", 'events = "orders"\nwhere.events = "a"'), *OWN)
    put(desk)
    assert rows == desk.columns(head() + section("", 'events = "orders"\nwhere.brand = "a"'), *OWN)


def test_a_name_that_is_taken(desk: Desk) -> None:
    put(desk)
    desk.put("c.csv", customers().replace("spent", "brand_a_r_score", 1))
    text = head() + section("brand_a", 'events = "orders"') + EVERYONE
    done = desk.apply(text, code=2)
    assert "the new column `brand_a_r_score` takes the name of a column that the file has already" in done.stderr
    assert "rules.toml:11:6" in done.stderr


def test_a_mistake_in_one_table_leaves_the_others_checked(desk: Desk) -> None:
    put(desk)
    text = (
        head()
        + section("", 'events = "orders"\nwhere.brnd = "a"')
        + section("b", 'events = "orders"\nwhere.day.contains = "a"')
    )
    done = desk.apply(text + EVERYONE, code=2)
    assert "`orders` has no column `brnd`" in done.stderr
    text = (
        head()
        + section("b", 'events = "orders"\nbefore = 2023-01-01\nsince = 2022-12-31')
        + section("", 'events = "orders"\nwithin = "1 year"')
    )
    found = desk.json(text + "[segment.x]\nrfm.b_r_score = 1\nrfm.r_score = 1\n")
    assert [s["matched"] for s in found["segments"]] == [0]


# --- files of cutoffs ---


def saved(desk: Desk, *args: object, names: tuple[str, ...] = ("", *BRANDS)) -> str:
    """A rule file of three tables, whose cutoffs are saved in `cuts`."""
    keys = ('events = "orders"\nmethod = "nested"\nties = "high"', *TABLES["by brand"])
    text = head() + "".join(section(name, table) for name, table in zip(names, keys, strict=True)) + EVERYONE
    desk.apply(text, "--save-cutoffs", desk / "cuts", *args)
    return text


def frozen(as_of: str = "2024-01-01", names: tuple[str, ...] = ("", *BRANDS)) -> str:
    """The rule file that scores with these cutoffs."""
    wheres = ("", 'where.brand = "a"', 'where.brand = "b"')
    text = head(as_of)
    for name, where in zip(names, wheres, strict=True):
        file = f"cuts/{name or 'rfm'}.cutoffs.toml"
        text += section(name, f'events = "orders"\n{where}\nmethod = "cutoffs"\ncutoffs = "{file}"')
    return text


def test_saved_cutoffs_score_the_day_as_it_was(desk: Desk) -> None:
    put(desk)
    text = saved(desk).removesuffix(EVERYONE)
    assert sorted(desk.tree("cuts")) == ["brand-b.cutoffs.toml", "brand_a.cutoffs.toml", "rfm.cutoffs.toml"]
    names = [c for name in ("", *BRANDS) for c in columns(name)]
    assert desk.columns(frozen(), *names) == desk.columns(text, *names)
    assert desk.json(frozen() + EVERYONE, "--fail-on", "warning")["warnings"] == []


def test_saving_changes_nothing_else_and_is_the_same_each_time(desk: Desk) -> None:
    put(desk)
    text = saved(desk)
    first, lists = desk.tree("cuts"), (desk / "segments/all.csv").read_bytes()
    desk.apply(text, "--save-cutoffs", desk / "cuts")
    assert desk.tree("cuts") == first
    desk.apply(text)
    assert (desk / "segments/all.csv").read_bytes() == lists
    assert "cutoffs" not in desk.json(text)


def test_it_says_what_it_wrote(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    put(desk)
    text = head() + section("a", 'events = "orders"') + section("b", TABLES["by brand"][1]) + EVERYONE
    done = desk.apply(text, "--save-cutoffs", "cuts")
    assert "\nCutoffs in cuts/a.cutoffs.toml, cuts/b.cutoffs.toml (" in done.stdout
    found = desk.json(text, "--save-cutoffs", "cuts")
    assert found["cutoffs"] == ["cuts/a.cutoffs.toml", "cuts/b.cutoffs.toml"]


def test_each_file_is_an_input_with_its_digest(desk: Desk) -> None:
    put(desk)
    saved(desk)
    desk.apply(frozen() + EVERYONE)
    read = json.loads((desk / "segments/manifest.json").read_text())["inputs"]
    given = {entry["table"]: entry["sha256"] for entry in read if "cutoffs" in entry["table"]}
    files = {"rfm.cutoffs": "rfm", "rfm.brand_a.cutoffs": "brand_a", "rfm.brand-b.cutoffs": "brand-b"}
    assert given == {
        table: hashlib.sha256((desk / f"cuts/{name}.cutoffs.toml").read_bytes()).hexdigest()
        for table, name in files.items()
    }


def test_a_mistake_in_a_file_is_told_at_its_place(desk: Desk) -> None:
    put(desk)
    saved(desk)
    file = desk / "cuts/brand_a.cutoffs.toml"
    file.write_text(file.read_text().replace("shares = [", "shares = [500, ", 1))
    done = desk.apply(frozen() + EVERYONE, code=2)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "[500, " in text)
    assert f"{file}:{line}:" in done.stderr
    assert "brand-b" not in done.stderr


def test_shares_that_moved_are_told_of_each_table(desk: Desk) -> None:
    put(desk)
    saved(desk)
    lines = (desk / "o.csv").read_text().splitlines()
    more = [f"c{n},2023-12-30,999,x{n}{k},b" for n in range(60) for k in range(3)]
    desk.put("o.csv", "\n".join([*lines, *more]) + "\n")
    warnings = [w for w in desk.json(frozen() + EVERYONE)["warnings"] if "moved by more than" in w["message"]]
    assert [("`recency_days`" in w["message"], "`brand-b_recency_days`" in w["message"]) for w in warnings] == [
        (True, False),
        (False, True),
    ]
    text = frozen().splitlines()
    assert ["brand-b" in text[w["line"] - 1] for w in warnings] == [False, True]


def test_cutoffs_of_other_rows_are_a_warning(desk: Desk) -> None:
    put(desk)
    saved(desk)
    text = frozen().replace('"cuts/brand_a.', '"cuts/x.').replace('"cuts/brand-b.', '"cuts/brand_a.')
    text = text.replace('"cuts/x.', '"cuts/brand-b.')
    found = [w for w in desk.json(text + EVERYONE)["warnings"] if "are those of" in w["message"]]
    assert [w["message"] for w in found] == [
        'the cutoffs are those of rows where `brand = { is = "b" }`, but here rows where `brand = { is = "a" }` count',
        'the cutoffs are those of rows where `brand = { is = "a" }`, but here rows where `brand = { is = "b" }` count',
    ]
    text = frozen().replace('where.brand = "a"', "")
    (found,) = [w for w in desk.json(text + EVERYONE)["warnings"] if "are those of" in w["message"]]
    assert found["message"].endswith("but here all rows count")
    text = frozen().replace('"cuts/brand_a.', '"cuts/rfm.')
    (found,) = [w for w in desk.json(text + EVERYONE)["warnings"] if "are those of" in w["message"]]
    assert found["message"] == "the cutoffs are those of all rows, but here `where` leaves some out"


def test_conditions_of_the_events_count_as_well(desk: Desk) -> None:
    """Whether the table of events or that of RFM leaves rows out, and how it is written, is the same."""
    put(desk)
    on_events = head() + 'where.brand = { in = ["a", "b"] }\nwhere.total.min = 5.5\n'
    text = on_events + section("", 'events = "orders"')
    desk.apply(text + EVERYONE, "--save-cutoffs", desk / "cuts")
    frozen = 'events = "orders"\nmethod = "cutoffs"\ncutoffs = "cuts/rfm.cutoffs.toml"\n'
    of_rfm = head() + section("", f'{frozen}where = {{ total.min = 5.5, brand = ["a", "b"] }}')
    for same in (on_events + section("", frozen), of_rfm):
        assert not [w for w in desk.json(same + EVERYONE)["warnings"] if "are those of" in w["message"]]
        assert desk.columns(same, *OWN[3:]) == desk.columns(text, *OWN[3:])


def test_columns_of_the_customer_round_trip(desk: Desk) -> None:
    put(desk)
    own = 'columns = { recency_days = "days", frequency = "bought", monetary = "spent" }\n'
    desk.apply(head() + section("till", own) + EVERYONE, "--save-cutoffs", desk / "cuts")
    frozen = f'{own}method = "cutoffs"\ncutoffs = "cuts/till.cutoffs.toml"\n'
    names = columns("till")
    assert desk.columns(head() + section("till", frozen), *names) == desk.columns(head() + section("till", own), *names)
    assert '[events]\npath = "c.csv"\n' in (desk / "cuts/till.cutoffs.toml").read_text()


def test_money_keeps_every_digit(desk: Desk) -> None:
    money = ["90071992547409.93", "90071992547409.92", "90071992547409.94", "0.1", "0.30", "0.2"]
    desk.put("c.csv", "id\n" + "".join(f"c{n}\n" for n in range(6)))
    rows = "".join(f"c{n},2023-12-01,{total},{n},a\n" for n, total in enumerate(money))
    desk.put("o.csv", "id,day,total,order,brand\n" + rows)
    text = head() + section("a", 'events = "orders"\nbins = 6\nmap = "rf"')
    desk.apply(text + EVERYONE, "--save-cutoffs", desk / "cuts")
    kept = (desk / "cuts/a.cutoffs.toml").read_text()
    assert "cuts = [0.1, 0.2, 0.3, 90071992547409.92, 90071992547409.93]" in kept
    cutoffs = 'events = "orders"\nmap = "rf"\nmethod = "cutoffs"\ncutoffs = "cuts/a.cutoffs.toml"'
    assert desk.columns(head() + section("a", cutoffs), "a_m_score") == desk.columns(text, "a_m_score")
    assert Decimal(money[0]) == Decimal("90071992547409.93")


def test_rows_on_standard_output_come_with_cutoffs(desk: Desk) -> None:
    put(desk)
    saved(desk, "-o", "-")
    assert len(desk.tree("cuts")) == 3
    assert not (desk / "segments").exists()


@pytest.mark.parametrize("args", [("--dry-run",), ("--dry-run", "-o", "-")])
def test_a_dry_run_writes_none(desk: Desk, args: tuple[str, ...]) -> None:
    put(desk)
    saved(desk, *args)
    assert not (desk / "cuts").exists()


def test_a_run_that_publishes_nothing_saves_nothing(desk: Desk) -> None:
    put(desk)
    text = head() + section("a", 'events = "orders"') + EVERYONE + "expect.min_size = 1000\n"
    desk.apply(text, "--save-cutoffs", desk / "cuts", code=1)
    assert not (desk / "cuts").exists()


def test_nobody_has_a_score_in_one_table(desk: Desk) -> None:
    """Said before anything is published, and in a dry run, too."""
    put(desk)
    text = (
        head() + section("", 'events = "orders"') + section("none", 'events = "orders"\nwhere.brand = "z"') + EVERYONE
    )
    for args in ((), ("--dry-run",)):
        done = desk.apply(text, "--save-cutoffs", desk / "cuts", *args, code=3)
        assert "no customer has a score in `[rfm.none]`, so there are no cutoffs to save" in done.stderr
    assert not (desk / "cuts").exists() and not (desk / "segments").exists()


def test_files_of_the_folder_stay(desk: Desk) -> None:
    put(desk)
    desk.put("cuts/notes.txt", "mine")
    desk.put("cuts/rfm.cutoffs.toml", "old")
    saved(desk)
    assert (desk / "cuts/notes.txt").read_text() == "mine"
    assert (desk / "cuts/rfm.cutoffs.toml").read_text().startswith("# Cutoffs of RFM scores")


def test_the_output_folder_may_hold_them(desk: Desk) -> None:
    put(desk)
    text = head() + section("a", 'events = "orders"') + EVERYONE
    for _ in range(2):
        desk.apply(text, "--save-cutoffs", desk / "segments")
    assert sorted(desk.tree()) == ["a.cutoffs.toml", "all.csv", "manifest.json"]


@pytest.mark.parametrize(
    ("rfm", "args", "code", "says"),
    [
        ('events = "orders"\nties = "split"', ["cuts"], 2, "there are no cutoffs that another day could use"),
        ('events = "orders"\nties = "split"', ["cuts", "--dry-run"], 2, "rules.toml:13:8"),
        ('events = "orders"', ["-"], 2, "cutoffs are saved in files"),
        ('events = "orders"', ["s3://bucket/cuts"], 4, "only local files are written"),
        ('events = "orders"', ["c.csv"], 4, "it is a file"),
        ('events = "orders"', ["cuts/rfm.cutoffs.toml"], 4, "name the folder: `--save-cutoffs cuts`"),
        ('events = "orders"', ["segments/cuts"], 4, "lies in the output directory"),
        ("", ["cuts"], 2, "the rule file has no `[rfm]`"),
    ],
)
def test_what_cannot_be_saved_is_said_before_anything_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, rfm: str, args: list[str], code: int, says: str
) -> None:
    monkeypatch.chdir(desk.folder)
    desk.put("c.csv", "not,what\nis,asked\n")
    text = head() + (section("a", rfm) if rfm else "") + EVERYONE
    done = desk.apply(text, "--save-cutoffs", *args, code=code)
    assert says in done.stderr
    assert not (desk / "cuts").exists() and not (desk / "segments").exists()


def test_cutoffs_that_are_read_are_not_written_over(desk: Desk) -> None:
    put(desk)
    saved(desk)
    before = desk.tree("cuts")
    done = desk.apply(frozen() + EVERYONE, "--save-cutoffs", desk / "cuts", code=4)
    assert "is an input: the cutoffs of today would take its place" in done.stderr
    assert desk.tree("cuts") == before
    desk.apply(frozen() + EVERYONE, "--save-cutoffs", desk / "today")
    assert len(desk.tree("today")) == 3


def test_cutoffs_of_another_window_are_told(desk: Desk) -> None:
    put(desk)
    window = 'events = "orders"\nwithin = "1 year"\n'
    desk.apply(head() + section("a", window) + EVERYONE, "--save-cutoffs", desk / "cuts")
    frozen_with = 'method = "cutoffs"\ncutoffs = "cuts/a.cutoffs.toml"\n'
    same = desk.apply(head() + section("a", window + frozen_with) + EVERYONE, "--dry-run")
    assert "warning" not in same.stdout
    other = desk.apply(head() + section("a", window.replace("1 year", "2 years") + frozen_with) + EVERYONE, "--dry-run")
    told = " ".join(other.stdout.split())
    assert 'rows where `within = "1 year"`' in told and 'rows where `within = "2 years"` count' in told


@pytest.mark.parametrize("name", ["o.csv", "c.csv", "rules.toml"])
def test_no_input_is_written_over(desk: Desk, name: str) -> None:
    """A file that happens to be called as the cutoffs would be."""
    put(desk)
    read = "rfm.cutoffs.toml"
    text = head() + section("", 'events = "orders"') + EVERYONE
    (desk / name).rename(desk / read) if name != "rules.toml" else None
    rules = desk.put(read if name == "rules.toml" else "rules.toml", text.replace(f'"{name}"', f'"{read}"'))
    before = (desk / read).read_bytes()
    done = desk.segkit("apply", rules, "-o", desk / "out", "--save-cutoffs", desk.folder, code=4)
    assert "is an input: the cutoffs of today would take its place" in done.stderr
    assert (desk / read).read_bytes() == before and not (desk / "out").exists()


# --- `segkit rfm --where` ---


def test_where_is_that_of_a_table(desk: Desk) -> None:
    put(desk)
    given = ("--key", "id", "--time", "day", "--amount", "total", "--id", "order", "--as-of", "2024-01-01")
    done = desk.segkit("rfm", desk / "o.csv", *given, "--where", "brand = 'a'", "-o", "-", "-q")
    rows = {row["id"]: tuple(row[c] for c in OWN) for row in desk.read(done.stdout_bytes)}
    text = head().replace('path = "c.csv"', 'from = "orders"') + section("a", TABLES["by brand"][0])
    in_rules = desk.columns(text, *columns("a"))
    assert rows == {key: row for key, row in in_rules.items() if key in rows}
    assert all(not row[0] for key, row in in_rules.items() if key not in rows)
