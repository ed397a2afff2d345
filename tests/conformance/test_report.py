"""`segkit report`: what stands in the page, what must not, and whom its numbers would tell of; against plain Python."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.operations.reporting.few_in_words import without_few
from segkit.operations.reporting.hiding import Sum, hidden, in_steps, rows_and_columns, without
from tests.desk import ROOT, Desk, head
from tests.pages.document import Document

pytestmark = pytest.mark.extra("report")
DAYS = ("2024-05-31", "2024-06-30")
RULES = """version = 1
[customers]
path = "data/c.csv"
key = "id"
[events.orders]
path = "data/o.csv"
time = "day"
id = "number"
amount = "amount"
[rfm]
events = "orders"
bins = 3
[lifecycle]
events = "orders"
[trait.spent]
events = "orders"
measure = "sum"
[consent]
require.optin = true
[output]
directory = "out"
columns = ["id", "r_score", "f_score", "rfm_segment", "lifecycle", "spent", "recency_days", "frequency", "monetary"]
profile = ["spent"]
history = true
track = ["town"]
{output}
[segment.all]
label = "All of them"
everyone = true
[segment.young]
demographic.age.below = 30
holdout = 30
[segment.rich]
rfm.monetary.min = 100
[segment.town]
demographic.town = "X"
"""
HIDDEN = "…"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    chance = random.Random(7)
    keys = [f"KEY{n:04d}" for n in range(240)]
    orders = [
        f"{chance.choice(keys)},2024-0{chance.randrange(1, 7)}-{chance.randrange(1, 29):02d},{n},"
        f"{Decimal(chance.randrange(300, 30_000)) / 100}"
        for n in range(500)
    ]
    desk.put("data/o.csv", "id,day,number,amount\n" + "\n".join(orders) + "\n")
    lines = [
        f"{key},{chance.randrange(18, 70)},{chance.choice(['X', 'X', 'Y'])},{chance.choice(['true'] * 9 + ['false'])}"
        for key in keys[:200]
    ]
    desk.put("data/c.csv", "id,age,town,optin\n" + "\n".join(lines) + "\n")
    return desk


def run(desk: Desk, text: str = RULES, output: str = "", days: tuple[str, ...] = DAYS) -> None:
    for day in days:
        desk.apply(text.replace("{output}", output), "-q", "--as-of", day)


def report(desk: Desk, *options: object, folder: str = "out") -> Document:
    desk.segkit("report", desk / folder, "-o", desk / "report.html", "-q", *options)
    return Document((desk / "report.html").read_text(encoding="utf-8"))


def desk_rules(desk: Desk) -> str:
    """The rules that were applied last."""
    return (desk / "rules.toml").read_text(encoding="utf-8")


def number(text: str) -> int | None:
    """A count of a cell; None for one that is hidden."""
    return None if text == HIDDEN else 0 if text == "–" else int(text.replace(",", "").replace("−", "").split()[0])


EXAMPLES = {
    "adventureworks": ["segments", "ledger", "overlap", "rfm", "mavr", "source"],
    "nightly": ["segments", "ledger", "mavr", "source"],
    "leads": ["segments", "ledger", "overlap", "grades", "mavr", "source"],
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_sections_of_the_examples(desk: Desk, example: str) -> None:
    out = desk / "out"
    options = ["--as-of", "2017-06-30"] if example == "nightly" else []
    desk.segkit("apply", ROOT / f"examples/{example}/rules.toml", "-o", out, "-q", *options)
    told = json.loads(desk.segkit("report", out, "-o", desk / "report.html", "--json").stdout)
    page = Document((desk / "report.html").read_text(encoding="utf-8"))
    assert [*page.tables] == told["sections"] == EXAMPLES[example]
    missing = {"overlap", "rfm", "flow", "grades", "mavr", "evaluation", "history"} - {*told["sections"]}
    assert {one["section"] for one in told["left_out"]} == missing
    for one in told["left_out"]:
        assert one["why"].replace("`", "") in page.texts[""]
    manifest = next(out.rglob("manifest.json"))
    for segment in json.loads(manifest.read_text())["segments"]:
        assert any(row.startswith(segment["name"]) for row in page.rows("segments"))
    assert told["bytes"] == (desk / "report.html").stat().st_size < 1_000_000


def test_all_sections(shop: Desk) -> None:
    run(shop)
    shop.put("ev.json", shop.segkit("evaluate", shop / "out", "--json", "--from", "2024-06-30", "--within", "1 day", code=None).stdout)  # fmt: skip
    page = report(shop, "--title", "Bikes & Co")
    assert [*page.tables] == ["segments", "ledger", "overlap", "rfm", "flow", "grades", "mavr", "history", "source"]
    assert "Bikes & Co, 2024-06-30" in page.texts[""]
    manifest = json.loads((shop / "out/manifest.json").read_text())
    rows = page.rows("ledger")
    for segment in manifest["segments"]:
        shown = rows[segment["name"]]
        assert number(shown[0]) == segment["matched"]
        assert number(shown[-2]) == segment["written"]
    listed = manifest["customers"] - manifest["unlisted"]
    assert f"{listed} of 200 customers are written, in 4 segments; since 2024-05-31, " in page.texts[""]
    for name in ("data/c.csv", "data"):
        assert f"{name}/" not in page.texts["source"]
    assert "c.csv" in page.texts["source"]


def test_the_same_bytes(shop: Desk) -> None:
    """Twice, of a run that is repeated, and by `apply`."""
    run(shop)
    report(shop)
    first = (shop / "report.html").read_bytes()
    assert shop.segkit("report", shop / "out", "-o", "-", "-q").stdout_bytes == first
    shop.apply(RULES.replace("{output}", ""), "--as-of", DAYS[1], "-q", "--report", shop / "again.html")
    assert (shop / "again.html").read_bytes() == first


def test_nothing_comes_from_elsewhere(shop: Desk) -> None:
    run(shop)
    page = report(shop)
    html = (shop / "report.html").read_text(encoding="utf-8")
    assert '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;">' in html  # fmt: skip
    rest = html.replace("http-equiv", "")
    assert not re.search(r"<script|http|url\(|@import|javascript:|<link|<img|<iframe|srcset", rest, re.IGNORECASE)
    assert all(address.startswith("#") for address in page.attributes["href"])
    assert not page.attributes.keys() & {"src", "action", "data", "poster"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert page.attributes["href"] == {f"#{name}" for name in page.tables}


EVIL = "</title></style><script>alert(1)</script><b onclick='x'>&\"{{ 7 * 7 }}"


def test_markup_gets_nowhere(shop: Desk) -> None:
    """Not in a label, nor in a title, nor in a value that is tracked, nor in the name of a file."""
    lines = (shop / "data/c.csv").read_text().replace(",Y,", ',"' + EVIL.replace('"', '""') + '",')
    shop.put("data/<script>.csv", lines)
    text = RULES.replace("All of them", EVIL.replace('"', '\\"')).replace("data/c.csv", "data/<script>.csv")
    run(shop, text)
    page = report(shop, "--title", EVIL)
    assert not page.tags & {"script", "b onclick"}
    assert "onclick" not in page.attributes
    assert page.texts[""].count(EVIL) == 2  # of the tab, of the page
    for section in ("segments", "flow"):
        assert EVIL in page.texts[section]
    assert "<script>.csv" in page.texts["source"]


def test_300_segments(desk: Desk) -> None:
    chance = random.Random(9)
    desk.put("c.csv", "id,age,n\n" + "".join(f"{n},{chance.randrange(400)},{chance.randrange(90)}\n" for n in range(3_000)))  # fmt: skip
    segments = "".join(
        f'[segment.of-the-people-of-age-{n}]\nlabel = "Everybody who is {n} or more, and nobody else"\n'
        f"demographic.age.min = {n}\nholdout = 10\n"
        for n in range(300)
    )
    head = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\nhistory = true\nprofile = ["age", "n"]\n'
    for day in DAYS:
        desk.apply(head + segments, "-q", "--as-of", day)
    page = report(desk)
    assert len(page.tables["segments"][0]) == 302
    assert (desk / "report.html").stat().st_size < 1_000_000
    assert len(page.tables["overlap"][0]) == 26


def test_nothing_of_a_single_customer(shop: Desk) -> None:
    """No key, and no value that only one has: not what he spent, not where he lives."""
    lines = (shop / "data/c.csv").read_text().splitlines()
    lines[3] = lines[3].replace(",X,", ",Nowhere,").replace(",Y,", ",Nowhere,")
    shop.put("data/c.csv", "\n".join(lines) + "\nKEY9999,23,X,true\n")
    with (shop / "data/o.csv").open("a") as file:
        file.write("KEY9999,2024-06-27,99999,7654321.09\n")
    run(shop)
    page = report(shop, "--min-cell", "1")
    html = (shop / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"KEY\d", html)
    assert "Nowhere" not in html
    assert "7,654,321" not in html and "7654321" not in html
    assert page.tables["rfm"]


def test_small_cells_are_hidden_with_those_that_would_tell_them(shop: Desk) -> None:
    run(shop, output="min_cell = 1")
    rows = shop.read("out/all.csv")
    assert len(rows) > 150
    for fewest in (1, 5, 30):
        page = report(shop, "--min-cell", fewest)
        manifest = json.loads((shop / "out/manifest.json").read_text())["aggregates"]
        truth = {(c["r"], c["f"]): c["customers"] for c in manifest["rfm"][0]["grid"]}
        table = page.tables["rfm"][0]
        cells = {(4 - r, f): row[f] for r, row in enumerate(table[1:], 1) for f in (1, 2, 3)}
        for at, text in cells.items():
            assert number(text) in (None, truth.get(at, 0))
        counts = {row[0]: number(row[1]) for row in page.tables["rfm"][1][1:]}
        groups = {one["value"]: one["customers"] for one in manifest["rfm"][0]["segments"] if one["value"]}
        check_row([*counts.values()], [*groups.values()], fewest)
        for line in [[at for at in cells if at[side] == score] for side in (0, 1) for score in (1, 2, 3)]:
            gone = [truth.get(at, 0) for at in line if number(cells[at]) is None]
            assert not gone or (len(gone) > 1 and sum(gone) >= fewest) or len(gone) == len(line)
        assert fewest > 1 or not [at for at in cells if number(cells[at]) is None]
        stages = page.rows("grades")
        found = {one["value"]: one["customers"] for one in manifest["columns"][0]["values"]}
        check_row([number(row[0]) for name, row in stages.items() if name != "Value"], [*found.values()], fewest)


def test_cells_and_the_segments_that_are_made_of_them(desk: Desk) -> None:
    """The size of an RFM segment less those of its other cells would tell that of a small cell, and the other way."""
    sizes = {(3, 1): 50, (3, 2): 40, (3, 3): 2, (2, 1): 30, (2, 2): 35, (2, 3): 45, (1, 1): 60, (1, 2): 55, (1, 3): 25}
    orders = [
        f"K{r}{f}{n},2024-0{2 * r - 1}-15,{r}{f}{n}{k},10"
        for (r, f), size in sizes.items()
        for n in range(size)
        for k in range(f)
    ]
    desk.put("o.csv", "id,day,number,amount\n" + "\n".join(orders) + "\n")
    rules = """version = 1
as_of = 2024-06-01
[customers]
from = "orders"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
id = "number"
amount = "amount"
[rfm]
events = "orders"
bins = 3
method = "cutoffs"
cutoffs = { recency = [30, 90], frequency = [2, 3], monetary = [20, 30] }
segment = [{ name = "often", r = [2, 3], f = [3, 3] }]
[output]
directory = "out"
[segment.all]
everyone = true
"""
    desk.apply(rules, "-q")
    page = report(desk)
    cells = {(4 - r, f): number(row[f]) for r, row in enumerate(page.tables["rfm"][0][1:], 1) for f in (1, 2, 3)}
    assert all(number in (None, sizes[at]) for at, number in cells.items())
    assert cells[3, 3] is None
    often = {row[0]: row[1] for row in page.tables["rfm"][1][1:]}["often"]
    assert (number(often) is None) != (cells[2, 3] is None)
    assert number(often) in (None, 47)


def check_row(shown: list[int | None], truth: list[int], fewest: int) -> None:
    """Whoever knows the sum does not learn a small number."""
    few = [n for n in truth if 0 < n < fewest]
    assert shown.count(None) >= len(few)
    assert shown.count(None) != 1 or len(truth) == 1
    assert Counter(n for n in shown if n is not None) <= Counter(truth)
    assert all(n is None or n == 0 or n >= fewest for n in shown)


@given(
    st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=6)),
    st.integers(1, 8),
)  # fmt: skip
def test_no_sum_tells_a_few(rows: list[list[int]], fewest: int) -> None:
    """Of no row and no column, what is hidden is one number, or a few customers; unless there is nothing else."""
    down, across = list(range(len(rows))), list(range(len(rows[0])))
    numbers: dict[tuple[int, int], int | str | None] = {(r, c): rows[r][c] for r in down for c in across}
    known = without(numbers, hidden(numbers, [*rows_and_columns(down, across)], fewest))
    for line in [[(r, c) for c in across] for r in down] + [[(r, c) for r in down] for c in across]:
        gone = [rows[r][c] for r, c in line if known[r, c] is None]
        assert not gone or len(gone) == len(line) or (len(gone) > 1 and (sum(gone) >= fewest or 0 in gone))
    assert all(known[at] is None for at, n in numbers.items() if isinstance(n, int) and 0 < n < fewest)
    if not any(0 < n < fewest for row in rows for n in row):
        assert None not in known.values()


def test_numbers_that_the_run_has_not_kept_stay_hidden() -> None:
    counts: dict[tuple[str, str], int | str | None] = {("a", "a"): "<5", ("a", "b"): 9, ("b", "a"): 7, ("b", "b"): 8}
    found = without(counts, hidden(counts, [*rows_and_columns(["a", "b"], ["a", "b"])], 1))
    assert [*found.values()].count(None) == 4  # the smallest of its row, that of its column, and what these tell


@given(st.dictionaries(st.integers(), st.integers(0, 40), min_size=1), st.integers(1, 8))
def test_numbers_in_steps(numbers: dict[int, int], fewest: int) -> None:
    found, steps = in_steps({**numbers}, fewest)
    few = {key for key, number in numbers.items() if 0 < number < fewest}
    assert {key for key, number in found.items() if number is None} == few
    assert steps == (fewest if few else 1)
    for key, number in found.items():
        assert number is None or (abs(number - numbers[key]) <= steps / 2 and number % steps == 0)
        assert (number == 0) == (numbers[key] == 0)


WHOLE: dict[str, tuple[dict[str, int], list[Sum[str]], set[str]]] = {
    "one part": ({"all": 40, "a": 2, "b": 38}, [Sum(["a", "b"], "all")], {"a", "b"}),
    "two that are a few": ({"all": 40, "a": 1, "b": 1, "c": 38}, [Sum(["a", "b", "c"], "all")], {"a", "b", "c"}),
    "two that are enough": ({"all": 40, "a": 4, "b": 1, "c": 35}, [Sum(["a", "b", "c"], "all")], {"a", "b"}),
    "the whole of one part": ({"all": 3, "a": 3, "b": 0}, [Sum(["a", "b"], "all")], {"all", "a"}),
    "a whole that another sum hides": (
        {"all": 11, "a": 5, "b": 6, "x": 2},
        [Sum(["a", "b"], "all"), Sum(["all", "x"])],
        {"x", "all", "a"},
    ),
    "nobody, where nothing else is left": ({"a": 1, "b": 0}, [Sum(["a", "b"])], {"a", "b"}),
}


@pytest.mark.parametrize("case", WHOLE)
def test_what_adds_up_to_a_whole(case: str) -> None:
    numbers, sums, expected = WHOLE[case]
    assert hidden(numbers, sums, 5) >= {name for name, number in numbers.items() if 0 < number < 5}
    assert hidden(numbers, sums, 5) == expected


def test_the_ledger_hides_what_adds_up_to_a_few(desk: Desk) -> None:
    """One who said no would be told by the other two numbers of his row."""
    desk.put("c.csv", "id,ok\n" + "".join(f"{n},{'false' if n < 2 else 'true'}\n" for n in range(40)))
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\n'
    desk.apply(head + "[consent]\nrequire.ok = true\n[segment.a]\neveryone = true\n[segment.b]\ndemographic.ok = true\n", "-q")  # fmt: skip
    rows = report(desk).rows("ledger")
    assert rows["a"][:3] == ["40", HIDDEN, HIDDEN]
    assert rows["b"][:3] == ["38", "–", "38"]
    assert report(desk).rows("segments")["a"][0] == HIDDEN
    assert report(desk, "--min-cell", "1").rows("ledger") == rows  # the rule file says 5
    desk.apply(desk_rules(desk).replace("[output]\n", "[output]\nmin_cell = 1\n"), "-q")
    assert report(desk, "--min-cell", "1").rows("ledger")["a"][:3] == ["40", "−2", "38"]
    assert report(desk).rows("ledger") == rows


def test_the_flow(shop: Desk) -> None:
    """The table has the moves that the run keeps."""
    text = RULES.replace('track = ["town"]', 'track = ["lifecycle"]')
    run(shop, text)
    told = json.loads(shop.segkit("history", shop / "out", "--moves", "--json").stdout)["moves"]
    table = report(shop).tables["flow"][0]
    names = table[0][1:]
    truth = {(one["from"], one["to"]): one["customers"] for one in told}
    for row in table[1:]:
        for name, cell in zip(names, row[1:], strict=True):
            known = truth.get((row[0], name), 0)
            assert (number(cell) is None) == (known is None)
            assert known is None or abs((number(cell) or 0) - known) <= 2


def test_the_history(shop: Desk) -> None:
    run(shop)
    told = {one["name"]: one for one in json.loads(shop.segkit("history", shop / "out", "--json").stdout)["segments"]}
    rows = report(shop).rows("history")
    for name, one in told.items():
        assert (number(rows[name][1]), number(rows[name][2])) == (one["first"], one["last"])
        assert number(rows[name][4]) == one["buyers"]


def test_the_history_hides_what_the_sizes_would_tell(shop: Desk) -> None:
    """Who entered, with both sizes, tells who left, and so does who stayed; what a few buyers spent is theirs."""
    run(shop, output="min_cell = 1")
    told = json.loads(shop.segkit("history", shop / "out", "--json").stdout)["segments"]
    seen: Counter[str] = Counter()
    for fewest in (1, 5, 10, 15, 25, 40):
        page = report(shop, "--min-cell", fewest)
        cells = {name.split()[0]: row for name, row in page.rows("segments").items() if name and "…" not in row[0]}
        for one in told:
            first, last = one["lines"]
            stayed = last["customers"] - last["entered"]
            few = any(0 < n < fewest for n in (stayed, *(last[name] for name in ("entered", "left", "customers"))))
            row = page.rows("history")[one["name"]]
            seen[f"moves {few}"] += 1
            if one["name"] in cells:
                shown = [text if text == HIDDEN else int(text.replace("−", "-")) for text in cells[one["name"]][3:5]]
                assert shown == ([HIDDEN, HIDDEN] if few else [last["entered"], -last["left"]])
            assert (row[3] == HIDDEN) == (few or one["name"] not in cells)
            few = any(0 < n < fewest for n in (first["buyers"], first["customers"], first["customers"] - first["buyers"]))  # fmt: skip
            seen[f"buyers {few}"] += 1
            assert (row[4] == HIDDEN, row[6] == HIDDEN) == (few, few)
    assert len(seen) == 4


def test_combinations_do_not_tell_a_few(desk: Desk) -> None:
    """Of 53 in a list, 50 are in no other, so that 3 are; and where a size is hidden, its combinations are."""
    desk.put("c.csv", "id,n\n" + "".join(f"{n},{n}\n" for n in range(200)))
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\n'
    lists = {"a": [0, 52], "b": [50, 92], "c": [100, 149], "d": [140, 189]}
    rules = head + "".join(f"[segment.{name}]\ndemographic.n.between = {n}\n" for name, n in lists.items())
    desk.apply(rules, "-q")
    told = report(desk).texts["overlap"]
    assert "c: 40 customers" in told and "c & d: 10 customers" in told
    assert "a: 50" not in told and "b: 40" not in told
    refused = rules.replace("[segment.a]", "[consent]\nrequire.n.not = 141\n[segment.a]")
    desk.apply(refused, "-q")
    page = report(desk)
    assert page.rows("ledger")["c"][2] == page.rows("ledger")["d"][2] == HIDDEN
    assert "c: 40" not in page.texts["overlap"] and "c & d" not in page.texts["overlap"]


def test_profiles_of_a_few_are_hidden(desk: Desk) -> None:
    """Also where many are written, and few of them have a value: total and mean would tell how many."""
    values = ["" if n > 2 else str(100 + n) for n in range(50)]
    desk.put("c.csv", "id,age,spent\n" + "".join(f"{n},{20 + n},{value}\n" for n, value in enumerate(values)))
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\nprofile = ["spent"]\n'
    desk.apply(head + "[segment.a]\neveryone = true\n[segment.few]\ndemographic.age.below = 23\n", "-q")
    rows = report(desk).rows("segments")
    assert rows["a"] == ["50", "100.0 %", "", HIDDEN, HIDDEN, HIDDEN]
    assert rows["few"] == [HIDDEN, HIDDEN, "", HIDDEN, HIDDEN, HIDDEN]
    desk.apply(desk_rules(desk).replace("[output]\n", "[output]\nmin_cell = 1\n"), "-q")
    assert report(desk, "--min-cell", "1").rows("segments")["few"] == ["3", "6.0 %", "", "303", "100.0 %", "101"]


def test_a_run_without_aggregates(shop: Desk) -> None:
    run(shop)
    path = shop / "out/manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["aggregates"]
    path.write_text(json.dumps(manifest))
    page = report(shop)
    assert not page.tables.keys() & {"overlap", "rfm", "grades", "mavr"}
    assert page.texts[""].count("kept no aggregates") == 4


def test_since_an_earlier_run(shop: Desk) -> None:
    run(shop, output="keep = 3")
    before, after = (json.loads((shop / f"out/{day}/manifest.json").read_text()) for day in DAYS)
    page = report(shop, "--previous", shop / f"out/{DAYS[0]}")
    sizes = {one["name"]: one["written"] for one in before["segments"]}
    for one in after["segments"]:
        row = next(cells for name, cells in page.rows("segments").items() if name.split()[:1] == [one["name"]])
        shown = 0 if row[3] == "0" else int(row[3].replace("−", "-"))
        assert shown == one["written"] - sizes[one["name"]]
    assert "flow" in page.tables
    assert f"since {DAYS[0]}, " in page.texts[""]


def test_who_moved_since_an_earlier_run(shop: Desk) -> None:
    """Of the days of two runs, whatever came between: against the values in the lists; in the order of the stages."""
    text = RULES.replace('track = ["town"]', 'track = ["lifecycle"]').replace("[consent]\nrequire.optin = true\n", "")
    run(shop, text, output="min_cell = 1\nkeep = 3", days=("2024-04-30", *DAYS))
    seen: set[bool] = set()
    for before in ("2024-04-30", DAYS[0]):
        found = {}
        for fewest in (1, 5):
            page = report(shop, "--previous", shop / f"out/{before}", "--min-cell", fewest, folder=f"out/{DAYS[1]}")
            assert f"From {before} to {DAYS[1]}" in page.texts["flow"]
            table = page.tables["flow"][0]
            names = table[0][1:]
            stages = ("prospect", "new", "loyal", "active", "at_risk", "inactive", "lost")
            assert names == [name for name in stages if name in names]
            found[fewest] = {
                (row[0], name): number(cell) for row in table[1:] for name, cell in zip(names, row[1:], strict=True)
            }
        old, new = ({row["id"]: row["lifecycle"] for row in shop.read(f"out/{day}/all.csv")} for day in (before, DAYS[1]))  # fmt: skip
        truth = Counter((old[key], new[key]) for key in old.keys() & new.keys())
        assert {at: count for at, count in found[1].items() if count} == truth
        few = {at for at, count in truth.items() if count < 5}
        assert {at for at, count in found[5].items() if count is None} == few
        for at, count in found[5].items():
            assert count is None or (abs(count - truth[at]) <= (2 if few else 0) and count % (5 if few else 1) == 0)
        seen |= {bool(few)}
    assert True in seen
    told = json.loads(shop.segkit("history", shop / f"out/{DAYS[1]}", "--moves", "--json").stdout)["moves"]
    known = {(one["from"], one["to"]): one["customers"] for one in told}
    assert known == truth
    shop.put(f"out/{DAYS[0]}/run/tracked.parquet", "x")
    done = shop.segkit("report", shop / f"out/{DAYS[1]}", "--previous", shop / f"out/{DAYS[0]}", "-o", "-", code=3)
    assert "is not as it was written" in done.stderr


def test_moves_between_other_columns(shop: Desk) -> None:
    """Two runs that do not track the same: what both do is compared, and where that is nothing, it is said."""
    plain = RULES.replace('track = ["town"]\n', "")
    run(shop, plain, days=DAYS[:1])
    run(shop, RULES.replace('"out"', '"later"'))  # which knows the moves since its own run before
    page = report(shop, "--previous", shop / "out", folder="later")
    assert "flow" not in page.tables
    assert "the run of 2024-05-31 does not track these columns" in page.texts[""]
    both = RULES.replace('track = ["town"]', 'track = ["lifecycle", "town"]')
    run(shop, both, days=DAYS[:1])
    page = report(shop, "--previous", shop / "out", folder="later")
    assert len(page.tables["flow"]) == 1
    assert sorted(page.tables["flow"][0][0][1:]) == ["X", "Y"]


EVALUATE = """version = 1
as_of = 2024-05-31
[customers]
path = "data/c.csv"
key = "id"
[events.orders]
path = "data/o.csv"
time = "day"
amount = "amount"
[output]
directory = "out"
[segment.all]
everyone = true
holdout = 30
"""


def test_what_came_of_it(shop: Desk) -> None:
    shop.apply(EVALUATE, "-q")
    told = shop.segkit("evaluate", shop / "out", "--within", "20 days", "--json").stdout
    shop.put("ev.json", told)
    page = report(shop, "--evaluation", shop / "ev.json")
    [segment] = json.loads(told)["segments"]
    first, *others = page.tables["evaluation"][0][1:]
    shown = {row[0]: row[1:] for row in [first[1:], *others]}
    for arm in segment["arms"]:
        name = {"holdout": "held out"}.get(arm["name"], arm["name"])
        assert [number(cell) for cell in shown[name][:2]] == [arm["customers"], arm["buyers"]]
        assert shown[name][2] == f"{100 * arm['conversion']:.1f} %"
    differences = page.tables["evaluation"][1][1:]
    assert len(differences) == len(segment["comparisons"]) == 2
    for row, one in zip(differences, segment["comparisons"], strict=True):
        sure = "not by chance" if one["significant"] else "may be chance"
        assert row[-1].endswith("too few buyers to tell" if one["too_few"] else sure)
        factor = 100 if one["metric"] == "conversion" else 1
        figures = [float(cell.replace("−", "-").replace(",", "").split()[0]) for cell in row[-4:-1]]
        assert figures == pytest.approx([factor * one[name] for name in ("difference", "low", "high")], abs=0.006)
    assert "from 2024-06-01 to 2024-06-20" in page.texts["evaluation"]
    hide = report(shop, "--evaluation", shop / "ev.json", "--min-cell", "100")
    assert hide.texts["evaluation"].count("too few buyers to tell") == 2
    assert not re.search(r"\d points", hide.texts["evaluation"])
    assert [row[-2:] for row in hide.tables["evaluation"][0][1:]] == [[HIDDEN, HIDDEN]] * 2
    assert [row[-3] for row in hide.tables["evaluation"][0][1:]] == [HIDDEN] * 2


def test_the_four_questions(shop: Desk) -> None:
    """The run answers them as `check --data` does, but for what it would say of a few."""
    rules = RULES.replace("{output}", "").replace("[segment.town]", "[segment.few]\nrfm.monetary.min = 700\n[segment.town]")  # fmt: skip
    run(shop, rules)
    rules_of_the_day = shop.put("rules.toml", rules.replace("version = 1", f"version = 1\nas_of = {DAYS[1]}"))
    answers = json.loads(shop.segkit("check", rules_of_the_day, "--data", "--json", code=None).stdout)["mavr"]
    manifest = json.loads((shop / "out/manifest.json").read_text())
    matched = {one["name"]: one["matched"] for one in manifest["segments"]}
    seen: Counter[str] = Counter()
    for fewest in (5, 40):
        table = report(shop, "--min-cell", fewest).tables["mavr"][0]
        assert [row[0] for row in table[2:]] == [one["segment"] for one in answers]
        words = {True: "yes", False: "no", None: "–"}
        for row, one, kept in zip(table[2:], answers, manifest["aggregates"]["mavr"], strict=True):
            size = matched[one["segment"]]
            few = [0 < number < fewest for number in (size, one["reached"], size - one["reached"])]
            told = [one["segment"], one["reached"], one["needed"]] + [one[name] for name in "mavp"]
            in_manifest = [kept["segment"], kept["reached"], kept["needed"]] + [kept[name] for name in "mavp"]
            if fewest == 5:
                assert in_manifest == [told[0], None if any(few) else told[1], *told[2:]]
            seen[f"{any(few)}"] += 1
            assert row[5] == (HIDDEN if any(few) else f"{one['reached']:,}")
            assert row[3] == (HIDDEN if any(few) else f"{one['reach']:.1f} %")
            assert [row[2], row[4], row[7], row[10]] == [words[one[answer]] for answer in "mavp"]
            alone = 0 < 200 - size < fewest
            assert row[8] == (HIDDEN if any(few) or alone else f"{float(one['a_head']):,.{0 if float(one['a_head']) >= 100 else 2}f}")  # fmt: skip
    assert {*seen} == {"True", "False"}


def test_nobody(desk: Desk) -> None:
    """A run of nobody has a page, and says what it does not have."""
    desk.put("data/c.csv", "id,age,town,optin\n")
    desk.put("data/o.csv", "id,day,number,amount\n")
    run(desk, RULES)
    page = report(desk)
    assert "0 of 0 customers are written, in 4 segments; " in page.texts[""]
    missing = {"rfm", "flow", "mavr", "evaluation"}
    assert {"segments", "ledger", "overlap", "rfm", "flow", "grades", "mavr", "evaluation", "history", "source"} - missing == page.tables.keys()  # fmt: skip
    assert "nobody has scores" in page.texts[""] and "nobody is there on both days" in page.texts[""]


def test_exclusive_lists_add_up(desk: Desk) -> None:
    """The size of one list would be told by the others, and by how many are in a list."""
    desk.put("c.csv", "id,n\n" + "".join(f"{n},{n}\n" for n in range(100)))
    head = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\n[assignment]\nmode = "exclusive"\n'
    segments = {"few": [0, 2], "some": [10, 29], "many": [30, 99]}
    text = head + "".join(f"[segment.{name}]\ndemographic.n.between = {n}\n" for name, n in segments.items())
    desk.apply(text, "-q")
    page = report(desk)
    rows = {name: cells[0] for name, cells in page.rows("segments").items()}
    assert [rows[name] for name in segments] == [HIDDEN, HIDDEN, "70"]
    assert "overlap" not in page.tables
    assert "nobody is in two lists" in page.texts[""]


def test_where_it_goes_and_what_is_said(shop: Desk) -> None:
    run(shop)
    (shop / "sub").mkdir()
    done = shop.process("report", "out")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("report.html: the run of 2024-06-30, ")
    assert shop.process("report", "out", "-q").stdout == b""
    done = shop.process("report", "out", "-o", "-")
    assert done.stdout == (shop / "report.html").read_bytes()
    assert done.stderr.startswith(b"standard output: ")


def test_a_page_takes_no_input_for_its_place(shop: Desk) -> None:
    """Whatever the customers are called: that is known once they are read."""
    run(shop, days=DAYS[1:])
    shop.put("data/c.html", (shop / "data/c.csv").read_text())
    before = (shop / "data/c.html").read_bytes()
    done = shop.process("apply", "rules.toml", "--customers", "data/c.html", "--report", "data/c.html")
    assert (done.returncode, b"is an input: the report would take its place" in done.stderr) == (4, True)
    assert (shop / "data/c.html").read_bytes() == before


Case = tuple[list[str], int, str]
ERRORS: dict[str, Case] = {
    "no run": (["report", "data"], 3, "`data` holds no run"),
    "no folder": (["report", "nowhere"], 3, "`nowhere` holds no run"),
    "the manifest": (["report", "out", "-o", "out/manifest.json"], 4, "is an input: the report would take its place"),
    "a list": (["report", "out", "-o", "out/all.csv"], 4, "is an input"),
    "the history": (["report", "out", "-o", "out/run/history.csv"], 4, "is an input"),
    "a folder": (["report", "out", "-o", "data"], 4, "it is a folder"),
    "an address": (["report", "out", "-o", "s3://bucket/r.html"], 4, "only local files are written"),
    "no evaluation": (["report", "out", "--evaluation", "none.json"], 3, "cannot read `none.json`"),
    "not of evaluate": (
        ["report", "out", "--evaluation", "out/manifest.json"],
        3,
        "is not what `segkit evaluate RUN --json` writes",
    ),
    "no previous run": (["report", "out", "--previous", "data"], 3, "`data` holds no run"),
    "not an earlier one": (["report", "out", "--previous", "out"], 2, "not of a day before 2024-06-30"),
    "no cells": (["report", "out", "--min-cell", "0"], 2, "min-cell"),
    "no RUN": (["report"], 2, "RUN"),
    "on stdout": (["apply", "rules.toml", "-o", "-", "--report", "r.html"], 2, "`-o -` publishes none"),
    "to stdout": (["apply", "rules.toml", "--report", "-"], 2, "a report is a file"),
    "in the output": (["apply", "rules.toml", "--report", "out/r.html"], 4, "it lies in the output directory"),
    "the rules": (["apply", "rules.toml", "--report", "rules.toml"], 4, "is an input"),
    "the customers": (["apply", "rules.toml", "--report", "data/c.csv"], 2, "a report is a page of HTML"),
    "no page": (["report", "out", "-o", "new.pdf"], 2, "a report is a page of HTML"),
    "apply to a folder": (["apply", "rules.toml", "--report", "data"], 4, "it is a folder"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(shop: Desk, case: str) -> None:
    run(shop, days=DAYS[1:])
    before = {name: content for name, content in shop.tree(".").items() if "segkit-lock" not in name}
    command, code, message = ERRORS[case]
    done = shop.process(*command)
    assert (done.returncode, message in done.stderr.decode()) == (code, True), done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert {name: content for name, content in shop.tree(".").items() if "segkit-lock" not in name} == before


def test_of_another_run(shop: Desk) -> None:
    shop.apply(EVALUATE, "-q")
    shop.put("ev.json", shop.segkit("evaluate", shop / "out", "--within", "20 days", "--json").stdout)
    shop.apply(EVALUATE.replace("05-31", "05-30"), "-q", "-o", shop / "other")
    done = shop.segkit("report", shop / "other", "--evaluation", shop / "ev.json", "-o", "-", code=3)
    assert "is of 2024-05-31, and" in done.stderr
    shop.apply(EVALUATE.replace("[output]", '[output]\nhash = ["id"]').replace("05-31", "05-29"), "-q", "-o", shop / "hashed")  # fmt: skip
    done = shop.segkit("report", shop / "out", "--previous", shop / "hashed", "-o", "-", code=3)
    assert "shows keys in another way" in done.stderr


def test_the_evaluation_of_another_run_of_the_day(shop: Desk) -> None:
    """With other customers, with fewer written, with another segment, of no run: none is of this run."""
    shop.apply(EVALUATE, "-q")
    told = shop.segkit("evaluate", shop / "out", "--within", "20 days", "--json").stdout
    cases = {
        "other customers": EVALUATE.replace("[output]", "[customers.where]\nage.below = 40\n[output]"),
        "fewer written": EVALUATE.replace("holdout = 30", "holdout = 60"),
        "another segment": EVALUATE.replace("[segment.all]", "[segment.everyone]"),
    }
    shop.put("ev.json", told)
    for text in cases.values():
        shop.apply(text, "-q", "-o", shop / "other", "--replace")
        done = shop.segkit("report", shop / "other", "--evaluation", shop / "ev.json", "-o", "-", code=3)
        assert "is of another run of 2024-05-31" in done.stderr
    shop.put("none.json", json.dumps({**json.loads(told), "runs": []}))
    done = shop.segkit("report", shop / "out", "--evaluation", shop / "none.json", "-o", "-", code=3)
    assert "is of no run, and" in done.stderr
    shop.apply(EVALUATE.replace("[output]", "[output]\nchanges = true"), "-q", "-o", shop / "changes")
    done = shop.segkit("evaluate", shop / "changes", "--within", "20 days", "--json", code=None)
    shop.put("ev.json", done.stdout)
    assert "evaluation" in report(shop, "--evaluation", shop / "ev.json", folder="changes").tables


DAMAGED: dict[str, tuple[str, str]] = {
    "manifest.json": ("half", "cannot read `out/manifest.json`"),
    "all.csv": ("half", "`out/all.csv` is not as it was written"),
    "young.holdout.csv": ("gone", "`out` is not whole: `young.holdout.csv` is missing"),
    "run/history.csv": ("half", "history.csv` is not as it was written"),
}


@pytest.mark.parametrize("file", DAMAGED)
def test_a_run_that_is_not_whole(shop: Desk, file: str) -> None:
    run(shop, days=DAYS[:1])
    how, message = DAMAGED[file]
    path = shop / "out" / file
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = shop.process("report", "out", "-o", "r.html")
    assert done.returncode == 3
    assert message in done.stderr.decode().replace(f"{shop.folder}/", "")
    assert b"Traceback" not in done.stderr
    assert not (shop / "r.html").exists()


def test_a_manifest_that_names_others(shop: Desk) -> None:
    """Where somebody has edited it, what it says of segments that it does not have is left out."""
    run(shop, days=DAYS[:1])
    path = shop / "out/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["aggregates"]["mavr"][0]["segment"] = "gone"
    manifest["aggregates"]["combinations"] = [{"segments": ["gone", "all"], "customers": 50}]
    manifest["overlaps"] = [{"first": "gone", "second": "all", "customers": 50}]
    path.write_text(json.dumps(manifest))
    page = report(shop)
    assert "gone" not in page.texts["overlap"] + page.texts["mavr"]


def test_a_run_that_fails_leaves_the_page_of_the_last_one(shop: Desk) -> None:
    text = RULES.replace("{output}", "")
    shop.apply(text, "-q", "--as-of", DAYS[0], "--report", shop / "r.html")
    before = (shop / "r.html").read_bytes()
    failing = text.replace("[segment.young]", "[segment.young]\nexpect.min_size = 9999")
    shop.apply(failing, "-q", "--as-of", DAYS[1], "--report", shop / "r.html", code=1)
    assert (shop / "r.html").read_bytes() == before
    assert not [name for name in shop.tree(".") if name.startswith((".r.html", "r.html."))]


ODD = "\x00\x07\u009f\u202e\u2066\ufffe"


def test_texts_that_no_page_may_hold(shop: Desk) -> None:
    """Control characters, and those that would turn the numbers beside them around, in labels, titles and values."""
    lines = (shop / "data/c.csv").read_text().replace(",Y,", ",Y\u202e12,")
    shop.put("data/c.csv", lines)
    run(shop, RULES.replace("All of them", "".join(f"\\u{ord(c):04x}" for c in ODD[1:]) + " שלום 👩‍👩‍👧"))
    page = report(shop, "--title", f"{ODD} \udcff")
    html = (shop / "report.html").read_bytes().decode("utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe]", html)
    assert "Y\ufffd12" in page.texts["flow"]
    assert "\ufffd" * 5 + " שלום 👩‍👩‍👧" in page.texts["segments"]
    assert "\ufffd" * 6 + " \ufffd, 2024-06-30" in page.texts[""]


def test_names_that_are_too_long_for_a_picture(shop: Desk) -> None:
    """They are cut there, and are whole in its tables; letters of double width take the room of two."""
    shop.put("data/c.csv", (shop / "data/c.csv").read_text().replace(",Y,", f",{'好' * 40},"))
    run(shop, RULES.replace("segment.young", f"segment.{'y' * 60}"))
    html, page = (shop / "report.html"), report(shop)
    assert f">{'好' * 8}… <" in html.read_text(encoding="utf-8")
    assert "好" * 40 in page.tables["flow"][0][0]
    assert f">{'y' * 23}…<" in html.read_text(encoding="utf-8")
    assert any(name == "y" * 60 for name in page.rows("segments"))


def test_a_dry_run_writes_no_report(shop: Desk) -> None:
    shop.apply(RULES.replace("{output}", ""), "-q", "--as-of", DAYS[0], "--dry-run", "--report", shop / "r.html")
    assert not (shop / "r.html").exists()
    told = shop.json(RULES.replace("{output}", ""), "--as-of", DAYS[0], "--report", shop / "r.html")
    assert told["report"] == str(shop / "r.html")
    assert (shop / "r.html").exists()


def test_lists_in_a_table(shop: Desk) -> None:
    text = RULES.replace("{output}", 'to = "sqlite:lists.db"\ntable = "lists"')
    shop.apply(text, "-q", "--as-of", DAYS[0], "--report", shop / "r.html")
    assert "segments" in Document((shop / "r.html").read_text()).tables


def test_warnings_are_told_without_folders(desk: Desk) -> None:
    (desk / "deep/folder").mkdir(parents=True)
    desk.put("deep/folder/c.csv", "id,age\na,5\nb,x\n,3\n")
    text = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "deep/folder/c.csv"\nkey = "id"\n[output]\ndirectory = "out"\n'
    desk.apply(text + '[segment.a]\ndemographic.age = "5"\n[segment.none]\ndemographic.age = "9"\n', "-q")
    manifest = json.loads((desk / "out/manifest.json").read_text())
    page = report(desk)
    for one in manifest["warnings"] + manifest["notes"]:
        assert one["message"].split("`")[0] in page.texts["source"]
    assert "deep" not in (desk / "report.html").read_text()
    assert str(desk.folder) not in (desk / "report.html").read_text()


HEAD = 'version = 1\nas_of = 2024-06-30\n[customers]\npath = "c.csv"\nkey = "id"\n[output]\ndirectory = "out"\n'


def numbered(desk: Desk, customers: int, lists: dict[str, tuple[int, int]], more: str = "") -> Document:
    """The report of a run with a list of each range of numbers."""
    desk.put("c.csv", "id,n,spent\n" + "".join(f"{n},{n},{100 + n}\n" for n in range(customers)))
    segments = "".join(f"[segment.{name}]\ndemographic.n.between = {list(ends)}\n" for name, ends in lists.items())
    desk.apply(HEAD + more + segments, "-q")
    return report(desk)


def tiles(page: Document) -> dict[str, str]:
    """The number of each tile, by its words."""
    found = re.findall(r"\n?([\d,.kM]+)(customers|match a segment|are written|in several lists|held out|revenue)", page.texts[""])  # fmt: skip
    return {word: number for number, word in found}


TILES: dict[str, tuple[dict[str, tuple[int, int]], set[str]]] = {
    "nobody is few": ({"a": (0, 49), "b": (40, 89)}, {"match a segment", "are written", "in several lists"}),
    "two in both": ({"a": (0, 49), "b": (48, 89)}, set()),
    "two in the first alone": ({"a": (0, 49), "b": (2, 89)}, {"match a segment"}),
    "two in none": ({"a": (0, 97), "b": (30, 60)}, {"in several lists"}),
    "two in all three": ({"a": (0, 49), "b": (40, 79), "c": (48, 59)}, {"match a segment", "are written"}),
    "two in a list alone": ({"a": (0, 49), "b": (0, 47)}, {"match a segment"}),
}


@pytest.mark.parametrize("case", TILES)
def test_tiles_do_not_tell_a_few(desk: Desk, case: str) -> None:
    """The sizes of lists come to more than those who are in one: what that says of few customers, is not there."""
    lists, expected = TILES[case]
    assert tiles(numbered(desk, 100, lists)).keys() - {"customers"} == expected


def test_the_tile_of_all_held_out_does_not_tell_those_of_one_list(desk: Desk) -> None:
    more = "[segment.many]\neveryone = true\nholdout = 20\n[segment.some]\ndemographic.n.below = 60\nholdout = 4\n"
    page = numbered(desk, 200, {}, more)
    rows = page.rows("ledger")
    assert rows["some"][1] == HIDDEN and rows["many"][1].startswith("−")
    assert "held out" not in tiles(page)
    assert int(tiles(numbered(desk, 200, {}, more.replace("= 4", "= 40")))["held out"]) > 40


PAIRS = {"whole": (0, 99), "most": (0, 96), "half": (0, 49), "apart": (60, 99)}


def test_totals_of_lists_do_not_tell_what_a_few_spent(desk: Desk) -> None:
    """What all spent less what all but three did is of three; the same holds of two lists, one within the other."""
    page = numbered(desk, 100, {"near": (0, 48)} | PAIRS, 'profile = ["spent"]\n')
    rows = page.rows("segments")
    assert {name: rows[name][3:] == [HIDDEN] * 3 for name in ("near", *PAIRS)} == {
        "near": True,
        "whole": False,
        "most": True,
        "half": False,
        "apart": False,
    }
    assert rows["half"][3] == f"{sum(range(100, 150)):,}"


def test_the_total_of_all_but_a_few(desk: Desk) -> None:
    """What all customers spent may be known; with three less than all of them, so is what these did."""
    for last, expected in ((96, True), (94, False)):
        page = numbered(desk, 100, {"most": (0, last)}, 'profile = ["spent"]\n')
        assert (page.rows("segments")["most"][3:] == [HIDDEN] * 3) == expected


def test_the_worth_of_lists_does_not_tell_that_of_a_few(desk: Desk) -> None:
    """As their totals: of all, of all but three, of a list within another one."""
    desk.put("o.csv", "id,day,amount\n" + "".join(f"{n},2024-06-01,{n + 1}\n" for n in range(100)))
    more = '[events.orders]\npath = "o.csv"\ntime = "day"\namount = "amount"\n[rfm]\nevents = "orders"\n'
    page = numbered(desk, 100, {"near": (0, 48)} | PAIRS, more)
    rows = {row[0]: row for row in page.tables["mavr"][0][2:]}
    assert {name: row[8:10] == [HIDDEN] * 2 for name, row in rows.items()} == {
        "near": True,
        "whole": False,
        "most": True,
        "half": False,
        "apart": False,
    }
    assert rows["half"][8:] == ["25.50", "50", "no"]


def test_all_but_a_few_have_bought(desk: Desk) -> None:
    """Those who have not are as few as those who have, where few have."""
    desk.put("c.csv", "id,n\n" + "".join(f"{n},{n}\n" for n in range(60)))
    text = HEAD.replace("as_of = 2024-06-30\n", "").replace('"out"\n', '"out"\nhistory = true\n')
    text += '[events.orders]\npath = "o.csv"\ntime = "day"\namount = "amount"\n[segment.all]\neveryone = true\n'
    text += "[segment.other]\ndemographic.n.min = 30\n"
    for buyers, expected in ((57, True), (50, False), (3, True)):
        lines = ["0,2024-05-01,1\n", *(f"{n},2024-06-10,5\n" for n in range(buyers))]
        desk.put("o.csv", "id,day,amount\n" + "".join(lines))
        for day in DAYS:
            desk.apply(text, "-q", "--as-of", day, "-o", desk / f"out{buyers}")
        rows = report(desk, folder=f"out{buyers}").rows("history")
        assert (rows["all"][4:] == [HIDDEN] * 3) == expected
        assert expected or rows["all"][4:] == ["50", "83.3 %", "4.17"]


def test_arms_whose_buyers_the_evaluation_does_not_tell(shop: Desk) -> None:
    shop.apply(EVALUATE, "-q")
    told = json.loads(shop.segkit("evaluate", shop / "out", "--within", "20 days", "--json").stdout)
    told["segments"][0]["arms"][0]["buyers"] = None
    shop.put("ev.json", json.dumps(told))
    page = report(shop, "--evaluation", shop / "ev.json")
    assert [row[-3:] for row in page.tables["evaluation"][0][1:]] == [[HIDDEN] * 3] * 2
    assert [row[-4:-1] for row in page.tables["evaluation"][1][1:]] == [[HIDDEN] * 3] * 2
    for arm in told["segments"][0]["arms"]:
        arm["buyers"] = arm["conversion"] = None  # another metric alone is evaluated
    shop.put("ev.json", json.dumps(told))
    page = report(shop, "--evaluation", shop / "ev.json")
    assert [row[-3:-1] for row in page.tables["evaluation"][0][1:]] == [["–", "–"]] * 2


def test_pairs_do_not_tell_a_few(desk: Desk) -> None:
    """Of a hundred, 97 % are in the other list: three are not."""
    page = numbered(desk, 100, PAIRS)
    table = page.tables["overlap"][-1]
    shares = {(row[0].split()[1], name): cell for row in table[1:] for name, cell in zip(PAIRS, row[1:], strict=True)}
    assert shares["whole", "most"] == shares["most", "whole"] == HIDDEN
    assert (shares["whole", "half"], shares["half", "whole"]) == ("50", "100")
    assert (shares["most", "apart"], shares["half", "apart"]) == (HIDDEN, "–")  # three of `apart` are not in `most`


def test_messages_do_not_tell_a_few(desk: Desk) -> None:
    """Nor does the form of a verb; and the rows that were left out are as those."""
    for bad in (1, 3, 7):
        desk.put("c.csv", "id,n\n" + "".join(f"{n},{'x' if n < bad else n}\n" for n in range(100)) + ",5\n" * bad)
        text = HEAD.replace('key = "id"', 'key = "id"\nbad_values = "missing"\ntypes = { n = "number" }')
        desk.apply(text + "[segment.a]\ndemographic.n.min = 3\n", "-q")
        manifest = json.loads((desk / "out/manifest.json").read_text())
        assert [one["message"].split(" of")[0] for one in manifest["warnings"]] == [f"{bad} value{'s' * (bad > 1)}"]
        page = report(desk)
        some = "7 values" if bad == 7 else "a few values"
        assert f"{some} of n cannot be read and count as missing" in page.texts["source"]
        assert page.rows("source")["customers"][1] == f"{'7' if bad == 7 else HIDDEN} without a key"


@pytest.mark.parametrize(("bad", "shown"), [(0, None), (3, HIDDEN), (7, "7"), (38, HIDDEN), (40, "40")])
def test_whom_a_platform_cannot_find(desk: Desk, bad: int, shown: str | None) -> None:
    """They are among those written; where few cannot be found, or few can, no number and no warning tells it."""
    desk.put("c.csv", "id,email\n" + "".join(f"k{n},{'' if n < bad else f'{n}@x.example'}\n" for n in range(40)))
    segments = "[segment.all]\neveryone = true\n[segment.counted]\neveryone = true\nwrite = false\n"
    output = '[output]\ndirectory = "out"\naudience = "meta"\nfields.email = "email"\n'
    desk.apply(head() + segments + output, "-q")
    page = report(desk)
    line, counted = (page.rows("ledger")[name] for name in ("all", "counted"))
    assert line[:3] == (["40", "40", ""] if shown is None else ["40", "40", shown])
    assert counted[:3] == ["40", "only counted", "" if shown is None else "–"]
    assert ("no identifier" in page.texts["ledger"]) == (shown is not None)
    told = {
        0: "40 customers",
        3: "all but a few of the customers",
        7: "33 of 40 customers",
        38: "a few of the customers",
        40: "0 of 40",
    }
    assert f"all.csv has {told[bad]}" in page.texts["source"]


WORDS = {
    "1 row comes twice, and 2 others": "a few rows come twice, and 2 others",
    "38 of the 40 members of 2024-01-01 are gone": "all but a few of the members of 2024-01-01 are gone",
    "12 of the 40 members are gone": "12 of the 40 members are gone",
    "3 of 400 rows": "a few of the rows",
    "1,003 rows and 4 other keys": "1,003 rows and a few other keys",
    "`3 rows` in `a-3 rows`": "`3 rows` in `a-3 rows`",
    "1 address of `is` has no domain": "a few addresses of `is` have no domain",
    "2 addresses, 4 % of 2024": "a few addresses, 4 % of 2024",
    "at most 90 days, 5 customers": "at most 90 days, 5 customers",
}


@pytest.mark.parametrize("text", WORDS)
def test_sentences_without_few(text: str) -> None:
    assert without_few(text, 5) == WORDS[text]
