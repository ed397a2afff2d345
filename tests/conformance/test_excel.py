"""Workbooks as sources: a table of shapes, what each is read as, and what each error says."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.desk import Desk, event_table, head
from tests.workbooks import SHEET, Formula, Shown, changed, day, moment, ods, workbook

pytestmark = pytest.mark.extra("excel")


def told(desk: Desk, rules: str) -> list[tuple[str, str, int | None]]:
    """The warnings and notes of a run: how grave, what, and the row."""
    summary = desk.json(rules)
    return [(kind, d["message"], d["line"]) for kind in ("warnings", "notes") for d in summary[kind]]


EVERYONE = "[segment.all]\neveryone = true\n"
CUSTOMERS = head(path="c.xlsx")
DATA = Path(__file__).parents[1] / "data"

# --- what values become ---

VALUES: dict[str, tuple[list[Any], list[str]]] = {
    "whole numbers": ([1, 2, None], ["1", "2", ""]),
    "numbers": ([1, 2.5, -0.125], ["1", "2.5", "-0.125"]),
    "a whole number among texts": ([12, "A3", 2.5], ["12", "A3", "2.5"]),
    "a text that is a number": (["00042", "7", "x"], ["00042", "7", "x"]),
    "zeros that only the format shows": ([Shown(42, "00000"), Shown(7, "00000"), None], ["42", "7", ""]),
    "days": ([day(2024, 1, 5), None, day(1980, 12, 31)], ["2024-01-05", "", "1980-12-31"]),
    "days with a time": (
        [moment(2024, 1, 5, 10, 30, 15), day(2024, 1, 6), None],
        ["2024-01-05T10:30:15", "2024-01-06T00:00:00", ""],
    ),
    "a fraction of a second": ([moment(2024, 1, 5, 23, 59, 59, 500_000)], ["2024-01-05T23:59:59.500"]),
    "days among texts": ([day(2024, 1, 5), "x", "y"], ["2024-01-05 00:00:00", "x", "y"]),
    "times of day": (
        [Shown(dt.time(10, 30), "hh:mm"), None, Shown(dt.time(0, 0, 1), "hh:mm")],
        ["10:30:00", "", "00:00:01"],
    ),
    "times of day among texts": ([Shown(dt.time(10, 30), "hh:mm"), "x"], ["10:30:00", "x"]),
    "lengths of time": ([Shown(dt.timedelta(hours=30), "[h]:mm")], ["P1DT6H"]),
    "booleans": ([True, False, None], ["true", "false", ""]),
    "a boolean among numbers": ([True, 1, 0], ["true", "1", "0"]),
    "a boolean among texts": ([True, "x", 1], ["true", "x", "1"]),
    "percent": ([Shown(0.125, "0.0%"), Shown(1, "0%")], ["0.125", "1"]),
    "money": ([Shown(1234.5, '#,##0.00 "€"'), Shown(2, '"$"0')], ["1234.5", "2"]),
    "fifteen digits": ([123456789012345, 999999999999999], ["123456789012345", "999999999999999"]),
    "more digits than are kept": ([1, 12345678901234567], ["1", "1.23456789012346E+16"]),
    "more digits than are kept, among texts": (["x", 12345678901234567], ["x", "1.23456789012346E+16"]),
    "many digits that are a text": (["x", "12345678901234567"], ["x", "12345678901234567"]),
    "small and large": ([1e-7, 0.3], ["0.0000001", "0.3"]),
    "nothing": ([None, None], ["", ""]),
    "formulas with values": ([Formula("=1+1", 2), Formula('="a"&"b"', "ab")], ["2", "ab"]),
    "nothing, in words": ([1.5, "NA", 2.25], ["1.5", "NA", "2.25"]),
    "nothing, in words, among whole numbers": ([1, "null", 2], ["1", "null", "2"]),
    "nothing, in words, among days": ([day(2024, 1, 5), "NA"], ["2024-01-05 00:00:00", "NA"]),
    "an error that says that nothing was found": ([1, Formula("=NA()", "#N/A")], ["1", "#N/A"]),
    "text with white space": ([" x ", "a\nb"], [" x ", "a\nb"]),
    "text that begins as a formula": (["=1+1", "@x"], ["=1+1", "@x"]),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_are_what_a_person_reads_in_the_sheet(desk: Desk, case: str) -> None:
    values, shown = VALUES[case]
    desk.put("c.xlsx", workbook([["id", "x"], *([f"k{n}", value] for n, value in enumerate(values))]))
    assert list(desk.columns(CUSTOMERS, "x").values()) == shown


def test_a_workbook_that_counts_from_1904(desk: Desk) -> None:
    rows = [["id", "d", "t"], ["a", day(2024, 1, 5), Shown(dt.time(10, 30), "hh:mm")]]
    desk.put("c.xlsx", workbook(rows, date_1904=True))
    assert desk.columns(CUSTOMERS, "d", "t") == {"a": ("2024-01-05", "10:30:00")}


def test_a_day_in_1904_is_a_day_elsewhere(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", "d"], ["a", day(1904, 1, 1)]]))
    assert desk.columns(CUSTOMERS, "d") == {"a": "1904-01-01"}


def test_types_rest_on_all_rows(desk: Desk) -> None:
    """The reader's own sample of 1,000 rows loses the text in the last one without a word."""
    rows = [[f"k{n}", n] for n in range(4_000)]
    desk.put("c.xlsx", workbook([["id", "x"], *rows, ["last", "A1"]]))
    found = desk.columns(CUSTOMERS, "x")
    assert (found["k3999"], found["last"]) == ("3999", "A1")


def test_keys_are_whole_numbers_and_join(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], [17850], [2]]))
    desk.put("o.csv", "id,day\n17850,2024-02-01\n")
    rules = CUSTOMERS + event_table("o", "o.csv")
    assert desk.members(rules, {"did": 'behavioural.did = { events = "o" }'}) == {"did": ["17850"]}


def test_the_rules_of_text_hold_for_texts(desk: Desk) -> None:
    rows = [["id", "n", "d", "b"], ["a", "1.234,50", "13/02/2024", "oui"], ["b", "0,5", "01/02/2024", "non"]]
    desk.put("c.xlsx", workbook(rows))
    found = desk.members(
        head('types = { b = "boolean" }', path="c.xlsx"),
        {
            "n": "demographic.n.min = 1000",
            "d": "demographic.d.after = 2024-02-10",
            "b": "demographic.b.is = true",
        },
    )
    assert found == {"n": ["a"], "d": ["a"], "b": ["a"]}


# --- where the table is ---


def test_the_table_may_begin_anywhere(desk: Desk) -> None:
    rows = [[], [], [None, "id", None, "x"], [None, "a", None, 1], [], [None, " ", None, ""], [None, "b", None, 2], []]
    desk.put("c.xlsx", workbook(rows))
    assert desk.columns(CUSTOMERS, "x") == {"a": "1", "b": "2"}


TITLE = [["Customers"], ["as of", day(2024, 1, 1)], [], ["id", "x", "y"], ["a", 1, 2], ["b", 2, 3], ["Total", 3, 5]]


def test_lines_above_and_below(desk: Desk) -> None:
    desk.put("c.xlsx", workbook(TITLE))
    assert desk.columns(head("skip_lines = 3", "skip_footer = 1", path="c.xlsx"), "x") == {"a": "1", "b": "2"}
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "error: the first row names 1 of 3 columns, so other lines may stand above the table\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 1\n" in error
    assert "hint: if row 4 has the names, give `skip_lines = 3`; if the first row does, `skip_lines = 0`\n" in error
    error = desk.apply(head("skip_lines = 3", path="c.xlsx") + EVERYONE, code=3).stderr
    assert "error: the row with the key `Total` looks like a total and not like a customer\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 7\nhint: leave it out with `skip_footer = 1`;" in error
    rules = head("skip_lines = 3", "skip_footer = 0", path="c.xlsx")
    assert desk.columns(rules, "x") == {"a": "1", "b": "2", "Total": "3"}


def test_a_header_that_is_given(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["a", 1], ["b", 2]]))
    assert desk.columns(head('header = ["id", "x"]', path="c.xlsx"), "x") == {"a": "1", "b": "2"}
    error = desk.apply(head('header = ["id"]', path="c.xlsx") + EVERYONE, code=3).stderr
    assert "error: `header` names 1 columns, and sheet `Sheet1` has 2\n" in error


def test_columns_without_a_name(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", None, None, "x"], ["a", 5, None, 1]]))
    assert desk.columns(CUSTOMERS, "column_2", "x") == {"a": ("5", "1")}


SHEETS = {"Kunden": [["id"], ["a"]], "Orders": [["id"], ["b"]], "notes": [["id"], ["c"]]}


def test_which_sheet(desk: Desk) -> None:
    desk.put("c.xlsx", workbook(SHEETS, hidden=["notes"]))
    everyone = {"s": "everyone = true"}
    for given, key in (('"Kunden"', "a"), ('"orders"', "b"), ("2", "b"), ("3", "c"), ('"notes"', "c")):
        assert desk.members(head(f"sheet = {given}", path="c.xlsx"), everyone) == {"s": [key]}
    error = desk.apply(CUSTOMERS + EVERYONE, code=2).stderr
    assert "error: `c.xlsx` has 2 sheets: `Kunden`, `Orders`\n" in error
    assert 'hint: say which: `sheet = "Kunden"`\n' in error
    error = desk.apply(head('sheet = "Kundem"', path="c.xlsx") + EVERYONE, code=3).stderr
    assert "error: `c.xlsx` has no sheet `Kundem`\n" in error
    assert "hint: did you mean `Kunden`?\n" in error
    error = desk.apply(head("sheet = 4", path="c.xlsx") + EVERYONE, code=3).stderr
    assert "error: `c.xlsx` has no sheet 4: it has 3\n" in error
    assert "hint: the sheets are `Kunden`, `Orders` and `notes`\n" in error


def test_the_only_visible_sheet_is_read(desk: Desk) -> None:
    desk.put("c.xlsx", workbook({name: SHEETS[name] for name in ("notes", "Orders")}, hidden=["notes"]))
    assert desk.members(CUSTOMERS, {"s": "everyone = true"}) == {"s": ["b"]}
    assert desk.json(CUSTOMERS + EVERYONE)["tables"][0]["detected"]["sheet"] == "Orders"


def test_sheets_of_one_workbook_are_tables_of_one_rule_file(desk: Desk) -> None:
    orders = [["id", "day", "total"], ["a", day(2024, 2, 1), 9.5]]
    desk.put("c.xlsx", workbook({"Kunden": [["id"], ["a"], ["b"]], "Orders": orders}))
    rules = head('sheet = "Kunden"', path="c.xlsx") + event_table("o", "c.xlsx", 'sheet = "Orders"', 'amount = "total"')
    assert desk.members(rules, {"s": 'behavioural.did = { events = "o", where.total.min = 9.5 }'}) == {"s": ["a"]}


def test_sheet_is_a_key_of_workbooks_alone(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    rules = desk.put("rules.toml", head('sheet = "A"') + EVERYONE)
    for args, code in ((["check", rules], 1), (["apply", rules], 2)):
        done = desk.segkit(*args, code=code)
        assert "error: `sheet` does not go with `c.csv`, which is read as delimited text\n" in done.output
        assert "hint: take it out: it is a key of an Excel workbook\n" in done.output
    desk.put("c.xlsx", workbook([["id"], ["a"]]))
    done = desk.apply(head('delimiter = ";"', path="c.xlsx") + EVERYONE, code=2)
    assert "error: `delimiter` does not go with `c.xlsx`, which is read as an Excel workbook\n" in done.stderr


def test_files_of_several_months(desk: Desk) -> None:
    desk.put("c1.xlsx", workbook([["id", "x", "d"], ["a", 1, day(2024, 1, 1)]]))
    desk.put("c2.xlsx", workbook([["id", "x", "d"], ["b", 2.5, None]]))
    desk.put("c3.xlsx", workbook([["id", "x", "d"], [3, "A4", moment(2024, 1, 1, 12, 0)]]))
    found = desk.columns(head(path="c*.xlsx"), "x", "d")
    assert {key: x for key, (x, _) in found.items()} == {"a": "1", "b": "2.5", "3": "A4"}
    assert found["a"][1].startswith("2024-01-01")


# --- what is no workbook ---


def test_what_a_file_is_tells_its_content(desk: Desk) -> None:
    content = workbook([["id", "x"], ["a", 1]])
    for name in ("c", "c.csv", "c.xls"):
        desk.put(name, content)
        assert desk.columns(head(path=name), "x") == {"a": "1"}
    desk.put("c.xls", "id\tx\na\t1\n")  # as many programs write it
    assert desk.columns(head(path="c.xls"), "x") == {"a": "1"}
    assert desk.rows(head(path="-") + EVERYONE, input=content) == [{"id": "a", "segment": "all", "x": "1"}]


def test_other_spreadsheets_are_read_with_a_note(desk: Desk) -> None:
    desk.put("c.ods", ods([["id", "x"], ["a", "y"]]))
    desk.put("old.xls", (DATA / "old.xls").read_bytes())
    assert desk.columns(head(path="c.ods"), "x") == {"a": "y"}
    assert desk.columns(head(path="old.xls"), "n", "born", "ok", "mix") == {
        "a": ("1.5", "1980-01-05", "true", "x"),
        "b": ("2", "1990-02-05", "false", "12"),
        "c": ("", "1991-02-05", "false", "12.5"),
    }
    note = (
        "`old.xls` is not looked at as closely as .xlsx: errors in cells, and formulas that were never computed, are "
    )
    (told,) = desk.json(head(path="old.xls") + EVERYONE)["notes"]
    assert told["message"] == note + "missing values in a file of this kind"


def _zip(**files: str) -> bytes:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "a ZIP of tables": (lambda: _zip(a="id\na\n"), "looks like a ZIP archive, not a table"),
    "half of it": (lambda: workbook([["id"], ["a"]])[:2000], "is damaged: "),
    "a sheet that is no XML": (
        lambda: changed(workbook([["id"], ["a"]]), SHEET, lambda text: text[: len(text) // 2]),
        "is damaged: ",
    ),
    "no XML that names the sheets": (
        lambda: changed(workbook([["id"]]), "xl/workbook.xml", lambda text: text[:200]),
        "is damaged: ",
    ),
    "encrypted": (lambda: OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "is encrypted with a password"),
    "another file of Office": (lambda: OLE + b"\0" * 600, "looks like an Office document, not a table"),
    "a web page": (
        lambda: b"<html><table><tr><td>id</td></tr></table></html>",
        "is a page of the web, not a table",
    ),
    "an empty sheet": (lambda: workbook([]), "sheet `Sheet1` of `c.xlsx` is empty"),
    "two columns of a name": (lambda: workbook([["id", "x", "x"]]), "columns 2 and 3 are both named `x`"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_one_error(desk: Desk, case: str) -> None:
    content, message = BROKEN[case]
    desk.put("c.xlsx", content())
    done = desk.process("apply", desk.put("rules.toml", CUSTOMERS + EVERYONE))
    error = done.stderr.decode()
    assert done.returncode == 3, error
    assert error.count("error: ") == 1
    assert message in " ".join(error.split())
    assert "Traceback" not in error and "panicked" not in error
    assert not (desk / "segments").exists()


def test_below_the_last_row_there_is_nothing(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], ["a"]]))
    error = desk.apply(head("skip_lines = 5", path="c.xlsx") + EVERYONE, code=3).stderr
    assert "error: sheet `Sheet1` of `c.xlsx` is empty below row 5\n" in error


# --- what a reader loses without a word ---


def test_errors_are_told_with_their_row_and_are_no_missing_values(desk: Desk) -> None:
    error = Formula("=1/0", "#DIV/0!")
    rows = [["id", "city", "n"], *([f"k{n}", "Nantes", n] for n in range(20)), [], ["a", error, error]]
    desk.put("c.xlsx", workbook(rows))
    message = "2 cells hold errors, which count as texts: the first is `#DIV/0!` in column `city`"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 23)]
    assert desk.columns(CUSTOMERS, "city")["a"] == "#DIV/0!"
    segment = "[segment.s]\ndemographic.n.min = 5\n"
    error_ = desk.apply(CUSTOMERS + segment, code=3).stderr
    assert "error: cannot read `#DIV/0!` as a number in column `n`\n" in error_.replace("a whole number", "a number")
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 23\n" in error_
    rules = head('bad_values = "missing"', path="c.xlsx")
    assert len(desk.members(rules, {"s": "demographic.n.min = 5"})["s"]) == 15


def test_an_error_as_a_key_is_told(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], ["a"], [Formula("=#REF!", "#REF!")]]))
    message = "1 cell holds an error, which counts as a text: the first is `#REF!` in column `id`"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 3)]


def _without_values(text: bytes) -> bytes:
    return text.replace(b"<v>7</v>", b"<v></v>")


@pytest.mark.parametrize("how", ["none", "0 in a workbook that asks to be computed"])
def test_formulas_that_were_never_computed_are_an_error(desk: Desk, how: str) -> None:
    rows = [["id", "x"], ["a", 1], ["b", Formula("=B2*2", 7 if how == "none" else 0)]]
    content = workbook(rows)
    desk.put("c.xlsx", changed(content, SHEET, _without_values) if how == "none" else content)
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "error: 1 formula has no stored value: the first is in column `x`\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 3\n" in error
    assert "hint: open the workbook in Excel, which computes them, and save it\n" in error


def test_a_stored_0_is_a_value_where_excel_has_saved_it(desk: Desk) -> None:
    content = workbook([["id", "x"], ["a", Formula("=1-1", 0)]])
    saved = changed(content, "xl/workbook.xml", lambda text: text.replace(b' fullCalcOnLoad="1"', b""))
    desk.put("c.xlsx", saved)
    assert desk.columns(CUSTOMERS, "x") == {"a": "0"}


def test_a_0_beside_computed_values_is_a_warning(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", "x"], ["a", Formula("=1-1", 0)], ["b", Formula("=1+1", 2)]]))
    message = "1 formula with the value 0 may never have been computed"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 2)]


def test_formulas_outside_the_table_do_not_matter(desk: Desk) -> None:
    rows = [[Formula("=1+1", 0), None], ["id", "x"], ["a", 1]]
    desk.put("c.xlsx", workbook(rows))
    assert desk.columns(head("skip_lines = 1", path="c.xlsx"), "x") == {"a": "1"}


MIXED: dict[str, tuple[list[Any], str, str | None]] = {
    "a fraction, and a text with a comma": ([1.5, "1,5"], "", "1,5"),
    "a fraction, and a text that may be a thousand": ([1.5, "1.234"], "", "1.234"),
    "a whole number, and a text that may be a thousand": ([1500, "1.234"], "", "1.234"),
    "a whole number, and a text that settles its mark": ([1500, "1.234,50"], "", None),
    "a fraction, and a word for nothing": ([1.5] * 10 + ["n/a"], "", None),
    "a mark that is given": ([1500, "1.234"], 'thousands = "."', None),
    "a point that is given": ([1.5, "1.234"], 'decimal = "."', None),
    "a comma that is given, and a fraction": ([1.5, "1,5"], 'decimal = ","', None),
    "said to be text": ([1.5, "1,5"], 'types = { x = "text" }', None),
    "versions": (["1.5", "a", "b", 2.5], "", None),
    "versions, said to be numbers": (["1.5", "", "", 2.5], 'types = { x = "number" }', "1.5"),
    "texts alone": (["1,5", "2,5"], "", None),
}


@pytest.mark.parametrize("case", MIXED)
def test_numbers_beside_texts_with_a_mark(desk: Desk, case: str) -> None:
    values, given, refused = MIXED[case]
    desk.put("c.xlsx", workbook([["id", "x"], *([f"k{n}", value] for n, value in enumerate(values))]))
    done = desk.apply(head(given, path="c.xlsx") + EVERYONE, code=3 if refused else 0)
    if refused:
        row = values.index(refused) + 2
        message = f"column `x` has numbers and texts, and nothing settles how to read a text such as `{refused}`"
        assert f"error: {message}\n  --> {desk / 'c.xlsx'}, sheet Sheet1, row {row}\n" in done.stderr


def test_a_fraction_is_a_fraction_whatever_the_mark_of_texts(desk: Desk) -> None:
    """`1.234` of a cell with a number is no thousand, though a text beside it makes the column one of texts."""
    rows = [["id", "x", "y"], *([f"k{n}", 1.234, f"{n},5"] for n in range(12)), ["z", "n/a", "1,5"]]
    desk.put("c.xlsx", workbook(rows))
    for given in ("", 'decimal = ","'):
        rules = head(given, path="c.xlsx")
        found = desk.members(rules, {"x": "demographic.x.between = [1, 2]", "y": "demographic.y.min = 11"})
        assert (len(found["x"]), found["y"]) == (12, ["k11"])


def test_merged_cells_are_told(desk: Desk) -> None:
    rows = [["id", "city"], ["a", None], ["b", None], ["c", "Nantes"]]
    desk.put("c.xlsx", workbook(rows, then=lambda sheet: sheet.merge_range("B2:B3", "Paris")))
    message = "the cells B2:B3 are one, and only the first has their value"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 2)]
    desk.put("c.xlsx", workbook(rows, then=lambda sheet: sheet.merge_range("C1:D1", "title")))
    assert told(desk, CUSTOMERS + EVERYONE) == []


def test_a_key_that_lost_digits_is_an_error(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], [1], [4444555566667777]]))
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "error: the key `4.44455556666778E+15` lost its last digits in a spreadsheet\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 3\n" in error


def test_a_number_shown_with_zeros_is_said_to_be_one(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], *([Shown(n, "00000")] for n in range(1, 40))]))
    desk.put("o.csv", "id,day\n" + "".join(f"{n:05d},2024-02-01\n" for n in range(1, 40)))
    rules = CUSTOMERS + event_table("o", "o.csv") + '[segment.s]\nbehavioural.did = { events = "o" }\n'
    error = desk.apply(rules, code=3).stderr
    assert "a number that a workbook shows as `00042` is 42" in " ".join(error.split())
    desk.put("c.csv", "id\n" + "".join(f"{n}\n" for n in range(1, 40)))
    assert "00042" not in desk.apply(rules.replace("c.xlsx", "c.csv"), code=3).stderr


def test_bad_values_have_their_row_of_the_sheet(desk: Desk) -> None:
    rows = [["id", "day"], *([f"k{n}", day(2024, 1, 5)] for n in range(20)), [], ["z", "soon"]]
    desk.put("o.xlsx", workbook({"Orders": rows}))
    desk.put("c.csv", "id\nk1\n")
    rules = head() + event_table("o", "o.xlsx") + '[segment.s]\nbehavioural.did = { events = "o" }\n'
    error = desk.apply(rules, code=3).stderr
    assert (
        f"error: cannot read `soon` as a date in column `day`\n  --> {desk / 'o.xlsx'}, sheet Orders, row 23\n" in error
    )


def test_xml_that_other_programs_write(desk: Desk) -> None:
    """Names with a prefix, cells and rows without their place, other quotation marks."""

    def other(text: bytes) -> bytes:
        text = text.replace(b"<sheetData>", b"<sheetData><!-- x -->")
        for name in (b"worksheet", b"sheetData", b"row", b"c", b"v", b"f"):
            for end in (b">", b" "):
                text = text.replace(b"<" + name + end, b"<x:" + name + end)
            text = text.replace(b"</" + name + b">", b"</x:" + name + b">")
        return text.replace(b' xmlns="', b' xmlns:x="').replace(b't="e"', b"t='e'")

    content = workbook([["id", "x"], ["a", Formula("=1/0", "#DIV/0!")], ["b", Formula("=1+1", 7)]])
    desk.put("c.xlsx", changed(content, SHEET, other))
    message = "1 cell holds an error, which counts as a text: the first is `#DIV/0!` in column `x`"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 2)]


# --- all commands ---


def orders(rows: int = 60) -> list[list[Any]]:
    draw = random.Random(5)
    made = (
        [f"c{n % 12}", day(2024, 1 + n % 3, 1 + n % 28), draw.randrange(100, 9999) / 100, f"o{n}"] for n in range(rows)
    )
    return [["customer_id", "order_date", "total", "order_id"], *made]


def test_rfm_and_cohorts_of_a_workbook(desk: Desk) -> None:
    rows = orders()
    desk.put("o.xlsx", workbook({"Orders": rows, "Notes": [["x"], ["y"]]}))
    lines = [[v.value if isinstance(v, Shown) else v for v in row] for row in rows]
    desk.put("o.csv", "".join(",".join(map(str, line)) + "\n" for line in lines))
    for command in ("rfm", "cohorts"):
        of_text = desk.segkit(command, desk / "o.csv", "-o", "-").stdout
        for sheet in ("Orders", "1"):
            assert desk.segkit(command, desk / "o.xlsx", "--sheet", sheet, "-o", "-").stdout == of_text
        error = desk.segkit(command, desk / "o.xlsx", code=2).stderr
        assert "error: `o.xlsx` has 2 sheets: `Orders`, `Notes`\n" in error
        assert 'hint: say which: `--sheet "Orders"`\n' in error


def test_a_run_of_a_workbook_is_that_of_the_same_csv(desk: Desk) -> None:
    """Keys, numbers, days, texts and gaps, at random."""
    draw = random.Random(11)
    rows: list[list[Any]] = [["id", "n", "x", "born", "city"]]
    for n in range(300):
        born = dt.date(1950, 1, 1) + dt.timedelta(days=draw.randrange(20_000))
        city = draw.choice(["Nantes", "Le Mans", "=1", None])
        rows.append(
            [
                n,
                draw.choice([None, draw.randrange(9)]),
                draw.randrange(999) / 8,
                day(born.year, born.month, born.day),
                city,
            ]
        )
    desk.put("c.xlsx", workbook(rows))
    lines = [["" if v is None else v.value if isinstance(v, Shown) else v for v in row] for row in rows]
    desk.put("c.csv", "".join(",".join(map(str, line)) + "\n" for line in lines))
    segments = {
        "n": "demographic.n.min = 4",
        "x": "demographic.x.between = [10.5, 80]",
        "born": "demographic.born.before = 1975-05-05",
        "city": 'demographic.city.in = ["Nantes", "=1"]',
        "none": "demographic.city.missing = true",
    }
    found = desk.members(head(path="c.xlsx"), segments)
    assert found == desk.members(head(path="c.csv"), segments)
    assert all(0 < len(keys) < 300 for keys in found.values())
