"""Workbooks as sources: a table of shapes, what each is read as, and what each error says."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.io.write import sink, write
from segkit.io.write.workbook import sheet_names
from tests.desk import Desk, event_table, head
from tests.workbooks import SHEET, Formula, Shown, changed, day, moment, ods, read_workbook, workbook

pytestmark = pytest.mark.extra("excel")


def told(desk: Desk, rules: str) -> list[tuple[str, str, int | None]]:
    """The warnings and notes of a run: how grave, what, and the row."""
    summary = desk.json(rules)
    return [(kind, d["message"], d["line"]) for kind in ("warnings", "notes") for d in summary[kind]]


EVERYONE = "[segment.all]\neveryone = true\n"
CUSTOMERS = head(path="c.xlsx")
DATA = Path(__file__).parents[1] / "data"

# --- what values become ---


def hours(number: float) -> Shown:
    return Shown(dt.timedelta(hours=number), "[h]:mm")


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
    "lengths of time": (
        [hours(30), None, hours(0.5), Shown(1.5 / 86400, "[h]:mm:ss.000")],
        ["30:00:00", "", "00:30:00", "00:00:01.500"],
    ),
    "lengths of time beside an error": ([hours(30), Formula("=NA()", "#N/A")], ["30:00:00", "#N/A"]),
    "lengths of time beside nothing, in words": ([hours(30), "NA"], ["30:00:00", "NA"]),
    "lengths of time among numbers": ([hours(30), 1.25, 2], ["30:00:00", "1.25", "2"]),
    "lengths of time among texts": ([hours(30), "x"], ["30:00:00", "x"]),
    "lengths of time among times of day": (
        [hours(30), Shown(dt.time(10, 30), "hh:mm"), Shown(0.25, "[mm]")],
        ["30:00:00", "10:30:00", "06:00:00"],
    ),
    "lengths of time among days": ([hours(30), day(1900, 1, 1)], ["30:00:00", "1900-01-01 00:00:00"]),
    "lengths of time among booleans": ([hours(1600), True], ["1600:00:00", "true"]),
    "a number with letters in its format": ([Shown(1.5, '0.0 "[h]"'), hours(30)], ["1.5", "30:00:00"]),
    "booleans": ([True, False, None], ["true", "false", ""]),
    "a boolean among numbers": ([True, 1, 0], ["true", "1", "0"]),
    "a boolean among texts": ([True, "x", 1], ["true", "x", "1"]),
    "percent": ([Shown(0.125, "0.0%"), Shown(1, "0%")], ["0.125", "1"]),
    "money": ([Shown(1234.5, '#,##0.00 "€"'), Shown(2, '"$"0')], ["1234.5", "2"]),
    "fifteen digits": ([123456789012345, 999999999999999], ["123456789012345", "999999999999999"]),
    "more digits than are kept": ([1, 12345678901234567], ["1", "1.23456789012346E+16"]),
    "powers of ten, and the number below one": (
        [10**15, 10**18, -(10**21), 9_999_999_999_999_990],
        ["1E+15", "1E+18", "-1E+21", "9.99999999999999E+15"],
    ),
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


def test_lengths_of_time_in_a_table_that_begins_further_right(desk: Desk) -> None:
    rows = [[], [None, None, "id", "x", "y"], [None, None, "a", 1, hours(2)], [None, None, "b", hours(30), 3]]
    for from_1904 in (False, True):
        desk.put("c.xlsx", workbook(rows, date_1904=from_1904))
        assert desk.columns(CUSTOMERS, "x", "y") == {"a": ("1", "02:00:00"), "b": ("30:00:00", "3")}


def test_lengths_of_time_of_an_old_workbook_that_counts_from_1904(desk: Desk) -> None:
    desk.put("c.xls", (DATA / "from1904.xls").read_bytes())
    rules = head(path="c.xls")
    assert desk.columns(rules, "t", "h", "n", "d") == {
        "a": ("10:30:00", "30:00:00", "1.5", "2024-01-05"),
        "b": ("00:00:01", "01:00:00", "30:00:00", "1904-01-02"),
    }
    message = "column `unclear` has lengths of time beside days or times, and they are read as days, such as 1900-01-01"
    assert [what for kind, what, _ in told(desk, rules + EVERYONE) if kind == "warnings"] == [message]


def test_lengths_of_time_of_an_old_workbook(desk: Desk) -> None:
    desk.put("c.xls", (DATA / "from1900.xls").read_bytes())
    assert desk.columns(head(path="c.xls"), "t", "n") == {
        "a": ("10:30:00", "30:00:00"),
        "b": ("", "2"),
        "c": ("", "1600:00:00"),
    }
    assert not [what for kind, what, _ in told(desk, head(path="c.xls") + EVERYONE) if kind == "warnings"]


def ods_with(rows: list[list[str]], **cells: str) -> bytes:
    """A spreadsheet of LibreOffice in which the cells of some texts are others."""

    def change(content: bytes) -> bytes:
        text = content.decode()
        for name, other in cells.items():
            was = f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
            assert was in text
            text = text.replace(was, other)
        return text.encode()

    return changed(ods(rows), "content.xml", change)


def length(written: str, more: str = "") -> str:
    shown = "<text:p>x</text:p>"
    return f'<table:table-cell {more} office:value-type="time" office:time-value="{written}">{shown}</table:table-cell>'


def test_lengths_of_time_of_libreoffice(desk: Desk) -> None:
    rows = [
        ["", "", "", ""],
        ["", "id", "x", "y"],
        ["", "a", "L30", "L1"],
        ["", "b", "L2", "text"],
        ["", "c", "TWO", ""],
    ]
    cells = {
        "L30": length("PT30H00M00S"),
        "L1": length("PT01H30M00.5S"),
        "L2": length("-P1DT2H"),
        "TWO": length("PT2M", 'table:number-columns-repeated="2"'),
    }
    desk.put("c.ods", ods_with(rows, **cells))
    assert desk.columns(head(path="c.ods"), "x", "y") == {
        "a": ("30:00:00", "01:30:00.500"),
        "b": ("-26:00:00", "text"),
        "c": ("00:02:00", "00:02:00"),
    }


def test_breaks_of_lines_of_libreoffice(desk: Desk) -> None:
    note = "<office:annotation><text:p>note</text:p></office:annotation>"
    text = (
        "<text:p>a<text:line-break/>b<text:s text:c='2'/><text:span>c<text:tab/></text:span></text:p><text:p>d</text:p>"
    )
    cell = f'<table:table-cell office:value-type="string">{note}{text}</table:table-cell>'
    desk.put("c.ods", ods_with([["id", "x"], ["k", "T"], ["l", "y"]], T=cell))
    assert desk.columns(head(path="c.ods"), "x") == {"k": "a\nb  c\t\nd", "l": "y"}


def test_a_table_within_a_cell_is_an_error(desk: Desk) -> None:
    """Its reader ends there, so that the rows below it would be lost."""
    inner = '<table:table table:name="in"><table:table-row><table:table-cell/></table:table-row></table:table>'
    cell = f'<table:table-cell office:value-type="string">{inner}<text:p>x</text:p></table:table-cell>'
    desk.put("c.ods", ods_with([["id", "x"], ["k", "T"], ["l", "y"]], T=cell))
    error = desk.apply(head(path="c.ods") + EVERYONE, code=3).stderr
    assert "error: sheet `T` of `c.ods` has a table within a cell\n" in error


def test_hidden_rows_are_told(desk: Desk) -> None:
    rows = [["id", "x"], ["a", "1"], ["b", "2"], ["c", "3"], ["", ""]]

    def hide(sheet: Any) -> None:
        for row in (2, 3, 4):
            sheet.set_row(row, None, None, {"hidden": True})

    desk.put("c.xlsx", workbook(rows, then=hide))
    note = ("notes", "2 rows of the sheet are hidden, and read like the others", 3)
    assert told(desk, CUSTOMERS + EVERYONE) == [note]
    row = '<table:table-row table:visibility="filter">'
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{v}</text:p></table:table-cell>' for v in "zy"
    )
    hidden = f"</table:table-row>{row}{cells}</table:table-row><table:table-row>"
    last = '<table:table-cell office:value-type="string"><text:p>LAST</text:p></table:table-cell>'
    desk.put("c.ods", ods_with([*rows[:2], ["LAST", "w"]], LAST=hidden + last))
    note = ("notes", "1 row of the sheet is hidden, and read like the others", 4)
    assert told(desk, head(path="c.ods") + EVERYONE)[-1] == note


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
    assert desk.json(CUSTOMERS + EVERYONE)["tables"][0]["rows"] == 2  # a blank row is none


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


@pytest.mark.parametrize("nothing", [None, " "])
def test_columns_without_a_name(desk: Desk, nothing: str | None) -> None:
    desk.put("c.xlsx", workbook([["id", None, None, "x"], ["a", 5, nothing, 1]]))
    assert desk.columns(CUSTOMERS, "column_2", "x") == {"a": ("5", "1")}
    assert "column_3" not in desk.rows(CUSTOMERS + EVERYONE)[0]


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


def with_chart(rows: list[list[Any]]) -> bytes:
    """A workbook of two tables, and a chart between them."""
    import xlsxwriter

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet("One").write_row(0, 0, ["id", "x"])
        sheet = book.add_chartsheet("Trend")
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Two!$B$2:$B$3"})
        sheet.set_chart(chart)
        two = book.add_worksheet("Two")
        for number, row in enumerate(rows):
            two.write_row(number, 0, row)
    return content.getvalue()


def test_charts_are_counted_as_tabs_and_never_read(desk: Desk) -> None:
    desk.put("c.xlsx", with_chart([["id"], ["a"]]))
    assert desk.members(head("sheet = 3", path="c.xlsx"), {"s": "everyone = true"}) == {"s": ["a"]}
    for given in ("2", '"trend"'):
        error = desk.apply(head(f"sheet = {given}", path="c.xlsx") + EVERYONE, code=3).stderr
        assert "error: sheet 2 of `c.xlsx`, `Trend`, is a chart: it has no cells\n" in error
        assert "hint: the sheets are `One` and `Two`\n" in error
    assert "has 2 sheets: `One`, `Two`\n" in desk.apply(CUSTOMERS + EVERYONE, code=2).stderr


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
    assert desk.columns(head('delimiter = "\\t"', path="c.xls"), "x") == {"a": "1"}
    desk.segkit("check", desk / "rules.toml")
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
    "a sheet that is not there": (
        lambda: changed(
            workbook([["id"]]), "xl/_rels/workbook.xml.rels", lambda text: text.replace(b"sheet1", b"sheet9")
        ),
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
    "two columns of almost a name": (
        lambda: workbook([["id", "x", "x "], ["a", 1, 2]]),
        "columns 2 and 3 are both named `x`",
    ),
    "a title above texts": (
        lambda: workbook([["List"], ["id", "x", "y"], ["a", "b", "c"]]),
        "the first row names 1 of 3 columns",
    ),
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


ERRORS = ["#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NULL!", "#NAME?"]
NUMBERS = [n + 0.5 for n in range(20)]
OF_ERRORS: dict[str, tuple[list[Any], str]] = {
    "a whole number": (list(range(20)), "min = 10"),
    "a number": (NUMBERS, "min = 10"),
    "a date": ([day(2024, 1, n + 1) for n in range(20)], "after = 2024-01-10"),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("words", OF_ERRORS)
def test_an_error_among_numbers_or_days_is_one_with_a_way_out(desk: Desk, words: str, error: str) -> None:
    values, condition = OF_ERRORS[words]
    rows = [["id", "x"], *([f"k{n}", value] for n, value in enumerate(values)), ["z", Formula("=1/0", error)]]
    desk.put("c.xlsx", workbook(rows))
    told_ = desk.apply(f"{CUSTOMERS}[segment.s]\ndemographic.x.{condition}\n", code=3).stderr
    assert f"error: cannot read `{error}` as {words} in column `x`\n" in told_
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 22\n" in told_
    given = f'null_values = ["{error}"]'
    assert f"hint: mend them, give `{given}` if that means nothing" in " ".join(told_.split())
    found = desk.members(
        head(given, path="c.xlsx"), {"s": f"demographic.x.{condition}", "m": "demographic.x.missing = true"}
    )
    assert found == {"s": [f"k{n}" for n in range(10, 20)], "m": ["z"]}
    assert told(desk, head(given, path="c.xlsx") + EVERYONE) == []


def test_an_error_that_says_that_nothing_was_found_is_told_where_nothing_is_missing(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", "x"], ["a", Formula("=NA()", "#N/A")]]))
    message = "1 cell holds an error, which counts as a text: the first is `#N/A` in column `x`"
    assert told(desk, head("null_values = []", path="c.xlsx") + EVERYONE) == [("warnings", message, 2)]
    assert told(desk, CUSTOMERS + EVERYONE) == []


def test_an_error_that_the_reader_of_old_workbooks_does_not_read(desk: Desk) -> None:
    content = (DATA / "old.xls").read_bytes()
    start = content.index(b"\x7e\x02\x0a\x00")  # a number, of which an error is made
    name_error = content[:start] + b"\x05\x02" + content[start + 2 : start + 10] + b"\x1d\x01" + content[start + 12 :]
    desk.put("old.xls", name_error)
    error = desk.apply(head(path="old.xls") + EVERYONE, code=3).stderr
    assert "error: `old.xls` has a cell with the error `#NAME?`\n" in error
    assert "hint: mend its formula, or save it as .xlsx\n" in error


def test_an_error_as_a_key_is_told(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id"], ["a"], [Formula("=#REF!", "#REF!")]]))
    message = "1 cell holds an error, which counts as a text: the first is `#REF!` in column `id`"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 3)]


def _without_values(text: bytes) -> bytes:
    return text.replace(b"<v>7</v>", b"<v></v>")


def _with_decimals(text: bytes) -> bytes:
    return text.replace(b"</f><v>0</v>", b"</f><v>0.0</v>")


@pytest.mark.parametrize("how", ["none", "0 in a workbook that asks to be computed", "0.0 in such a workbook"])
def test_formulas_that_were_never_computed_are_an_error(desk: Desk, how: str) -> None:
    change = {"none": _without_values, "0.0 in such a workbook": _with_decimals}.get(how)
    content = workbook([["id", "x"], ["a", 1], ["b", Formula("=B2*2", 7 if how == "none" else 0)]])
    desk.put("c.xlsx", changed(content, SHEET, change) if change else content)
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "error: 1 formula has no stored value: the first is in column `x`\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 3\n" in error
    assert "hint: open the workbook in Excel, which computes them, and save it\n" in error


@pytest.mark.parametrize("kind", ["str", "b", "e", "n", "inlineStr"])
@pytest.mark.parametrize("empty", [True, False])
def test_formulas_without_a_value_of_any_kind(desk: Desk, kind: str, *, empty: bool) -> None:
    """Only the empty text that a formula such as `=""` gives is a value, where a value is stored at all."""

    def without(text: bytes) -> bytes:
        cell = f'<c r="B3" t="{kind}"><f>B2*2</f>{"<v></v>" if empty else ""}</c>'
        return text.replace(b'<c r="B3"><f>B2*2</f><v>7</v></c>', cell.encode())

    content = workbook([["id", "x"], ["a", "n"], ["b", Formula("=B2*2", 7)]])
    desk.put("c.xlsx", changed(content, SHEET, without))
    if kind == "str" and empty:
        assert desk.columns(CUSTOMERS, "x") == {"a": "n", "b": ""}
        return
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "error: 1 formula has no stored value: the first is in column `x`\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 3\n" in error


def test_a_stored_0_is_a_value_where_excel_has_saved_it(desk: Desk) -> None:
    content = workbook([["id", "x"], ["a", Formula("=1-1", 0)]])
    saved = changed(content, "xl/workbook.xml", lambda text: text.replace(b' fullCalcOnLoad="1"', b""))
    desk.put("c.xlsx", saved)
    assert desk.columns(CUSTOMERS, "x") == {"a": "0"}
    assert told(desk, CUSTOMERS + EVERYONE) == []


def test_a_0_beside_computed_values_is_a_warning(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", "x"], ["a", Formula("=1-1", 0)], ["b", Formula("=1+1", 2)]]))
    message = "1 formula with the value 0 may never have been computed"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 2)]


@pytest.mark.parametrize("with_decimals", [False, True])
def test_formulas_that_are_all_0_are_a_warning(desk: Desk, with_decimals: bool) -> None:
    """Nothing in the workbook says that what wrote it computed nothing."""
    rows = [["id", "x", "y"], ["a", Formula("=1-1"), Formula("=1-1")], ["b", Formula("=1+1", 2), 1]]
    content = workbook([*rows, ["c", 5, Formula("=2-1")]])
    content = changed(content, SHEET, _with_decimals) if with_decimals else content
    saved = changed(content, "xl/workbook.xml", lambda text: text.replace(b' fullCalcOnLoad="1"', b""))
    desk.put("c.xlsx", saved)
    message = "all 2 formulas of column `y` have the value 0, so they may never have been computed"
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


def test_numbers_and_texts_in_a_table_that_begins_further_right(desk: Desk) -> None:
    rows = [[None, None, "id", "x"], [None, None, "a", 1.5], [None, None, "b", "1.234"]]
    desk.put("c.xlsx", workbook(rows))
    error = desk.apply(CUSTOMERS + EVERYONE, code=3).stderr
    assert "nothing settles how to read a text such as `1.234`\n" in error
    assert ", sheet Sheet1, row 3\n" in error


def test_an_error_that_says_that_nothing_was_found_is_not_told(desk: Desk) -> None:
    missing = Formula("=VLOOKUP(1,A:A,1)", "#N/A")
    desk.put("c.xlsx", workbook([["id", "n"], *([f"k{n}", n] for n in range(20)), ["z", missing]]))
    assert told(desk, CUSTOMERS + EVERYONE) == []
    assert desk.members(CUSTOMERS, {"s": "demographic.n.missing = true"}) == {"s": ["z"]}


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


@pytest.mark.parametrize("right", [0, 2])
def test_names_of_groups_above_the_names_are_an_error(desk: Desk, right: int) -> None:
    rows: list[list[Any]] = [[], ["id", "name", "n", "eur"], [1, "x", 5, 1.5], [2, "y", 6, 2.5]]

    def groups(sheet: Any) -> None:
        sheet.merge_range(0, right, 0, right + 1, "Customer")
        sheet.merge_range(0, right + 2, 0, right + 3, "Orders")

    desk.put("c.xlsx", workbook([[*[None] * right, *row] for row in rows], then=groups))
    error = desk.apply(head(path="c.xlsx", key="Customer") + EVERYONE, code=3).stderr
    name = "C1:D1" if right else "A1:B1"
    assert f"error: the cells {name} are one, so several columns have the name of the first\n" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row 1\n" in error
    assert "hint: if row 2 has the names, give `skip_lines = 1`; if not, split them" in " ".join(error.split())
    assert desk.columns(head("skip_lines = 1", path="c.xlsx"), "n", "eur") == {"1": ("5", "1.5"), "2": ("6", "2.5")}
    given = head("skip_lines = 2", 'header = ["id", "a", "b", "c"]', path="c.xlsx")
    assert desk.columns(given, "b") == {"1": "5", "2": "6"}


def test_merged_cells_of_libreoffice_are_told(desk: Desk) -> None:
    def cell(text: str, spanned: str) -> str:
        return f'<table:table-cell {spanned} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    across = {name: cell(name, 'table:number-columns-spanned="2"') for name in ("G", "H")}
    rows = [["", "G", "", "H", ""], ["", "id", "name", "n", "eur"], ["", "a", "x", "5", "6"]]
    desk.put("c.ods", ods_with(rows, **across))
    error = desk.apply(head(path="c.ods", key="G") + EVERYONE, code=3).stderr
    assert "error: the cells B1:C1 are one, so several columns have the name of the first\n" in error
    assert desk.columns(head("skip_lines = 1", path="c.ods"), "n") == {"a": "5"}
    down = cell("Paris", 'table:number-rows-spanned="2"')
    desk.put("c.ods", ods_with([["id", "city"], ["a", "Paris"], ["b", ""], ["c", "Nantes"]], Paris=down))
    message = "the cells B2:B3 are one, and only the first has their value"
    assert ("warnings", message, 2) in told(desk, head(path="c.ods") + EVERYONE)


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


def with_prefix(text: bytes) -> bytes:
    text = text.replace(b"<sheetData>", b"<sheetData><!-- x -->")
    for name in (b"worksheet", b"sheetData", b"row", b"c", b"v", b"f"):
        for end in (b">", b" "):
            text = text.replace(b"<" + name + end, b"<x:" + name + end)
        text = text.replace(b"</" + name + b">", b"</x:" + name + b">")
    return text.replace(b' xmlns="', b' xmlns:x="')


def test_xml_that_other_programs_write(desk: Desk) -> None:
    """Other quotation marks, and names with a prefix."""
    content = workbook([["id", "x"], ["a", Formula("=1/0", "#DIV/0!")], ["b", 7]])
    values = changed(content, SHEET, lambda text: re.sub(b"<f>.*?</f>", b"", text).replace(b't="e"', b"t='e'"))
    desk.put("c.xlsx", values)
    message = "1 cell holds an error, which counts as a text: the first is `#DIV/0!` in column `x`"
    assert told(desk, CUSTOMERS + EVERYONE) == [("warnings", message, 2)]
    content = workbook([["id", "x"], ["a", 1], ["b", Formula("=B2*2", 7)]])
    assert "1 formula has" not in desk.apply(CUSTOMERS + EVERYONE).stderr
    desk.put("c.xlsx", changed(changed(content, SHEET, _without_values), SHEET, with_prefix))
    assert "error: 1 formula has no stored value" in desk.apply(CUSTOMERS + EVERYONE, code=3).stderr


# --- sheets that are read once ---

KINDS: list[Callable[[random.Random], Any]] = [
    lambda draw: draw.randrange(5),
    lambda draw: draw.randrange(1000) / 8,
    lambda draw: draw.choice(["a", "Nantes", "1.5", "NA"]),
    lambda draw: day(2024, 1, draw.randrange(1, 28)),
    lambda draw: moment(2024, 1, draw.randrange(1, 28), 10, 30, 0),
    lambda draw: draw.random() < 0.5,
    lambda draw: hours(draw.randrange(1, 90)),
    lambda draw: Shown(dt.time(10, draw.randrange(60)), "hh:mm"),
]
ODD: list[Any] = ["NA", "null", "", " ", "x", "é < 1", True, 0, 1, 1.5, 10**15, day(2024, 2, 1), hours(30)]
ODD += [Formula("=NA()", "#N/A"), Formula("=1/0", "#DIV/0!"), Formula("=1+1", 2), Formula('=""', "")]


def random_sheet(draw: random.Random) -> list[list[Any]]:
    """Rows of columns of a kind each, with gaps, and with up to three cells that are odd."""
    width = draw.randrange(2, 5)
    names = [draw.choice(["x", "x_1", "y", "y ", "2024", 2024, 0.5, None, *"abcdefghijkl"]) for _ in range(width)]
    kinds = [draw.choice(KINDS) for _ in range(width)]
    gaps = draw.choice([0, 0.3])
    rows = [[f"k{n}", *(None if draw.random() < gaps else kind(draw) for kind in kinds)] for n in range(12)]
    for _ in range(draw.choice([0, 0, 1, 2, 3])):
        rows[draw.randrange(12)][draw.randrange(1, width + 1)] = draw.choice(ODD)
    return [["id", *names], *rows]


@pytest.mark.parametrize("seed", range(120))
def test_a_sheet_that_is_read_once_is_what_it_is_when_read_closely(desk: Desk, seed: int) -> None:
    """With `skip_lines`, each sheet is read closely."""
    draw = random.Random(seed)
    texts_inside = seed % 2 == 1
    desk.put("c.xlsx", workbook(random_sheet(draw), constant_memory=texts_inside, in_memory=not texts_inside))
    seen = []
    for given in ("", "skip_lines = 0"):
        done = desk.apply(head(given, path="c.xlsx") + EVERYONE, "-q", "-o", "-", code=None)
        seen.append((done.exit_code, done.stdout, done.stderr))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("texts_inside", [False, True])
@pytest.mark.parametrize(
    ("rows", "times"),
    [
        ([["id", None, "x"], ["a", 1, None], ["b", 2, day(2024, 1, 5)]], 1),
        ([["id", "x", "d"], ["a", "t", day(2024, 1, 5)], ["b", 1, "NA"]], 2),
        ([["id", "x", "n"], ["a", "t", 1], ["b", True, "NA"]], 2),
        ([["id", "x"], ["a", 1], ["b", "NA"]], 2),
        ([["id", "x"], ["a", 1], ["b", True]], 2),
        ([["id", "x"], ["a", "1"], ["b", 1]], 2),
        ([["id", "x"], ["a", 1], ["b", Formula("=1+1", 2)]], 2),
        ([["id", "x"], ["a", 1], ["b", 10**15]], 2),
        ([[], ["id", "x"], ["a", 1]], 3),
    ],
)
def test_plain_sheets_are_read_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, rows: list[list[Any]], times: int, texts_inside: bool
) -> None:
    import fastexcel

    calls = []
    read = fastexcel.ExcelReader.load_sheet

    def counted(*args: Any, **options: Any) -> Any:
        calls.append(args)
        return read(*args, **options)

    monkeypatch.setattr("fastexcel.ExcelReader.load_sheet", counted)
    desk.put("c.xlsx", workbook(rows, constant_memory=texts_inside, in_memory=not texts_inside))
    desk.apply(CUSTOMERS + EVERYONE)
    assert len(calls) == times


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


# --- lists as workbooks ---

PEOPLE = "id,name,age\n00042,=1+1,30\n7,http://x.y,40\nz,'q,50\n"
SEGMENTS = "[segment.young]\ndemographic.age.max = 40\n[segment.old]\ndemographic.age.min = 40\n"


def cells(content: bytes, sheet: int = 1) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return package.read(f"xl/worksheets/sheet{sheet}.xml").decode()


def test_a_list_as_a_workbook(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    desk.apply(head() + '[output]\nformat = "xlsx"\nescape_formulas = true\n' + SEGMENTS)
    content = (desk / "segments/young.xlsx").read_bytes()
    frame = read_workbook(content, "young")
    assert frame.columns == ["id", "segment", "name", "age"]
    assert frame.rows() == [("00042", "young", "=1+1", 30.0), ("7", "young", "http://x.y", 40.0)]
    xml = cells(content)
    assert "<f>" not in xml and "hyperlink" not in xml
    assert 'state="frozen"' in xml


SHOWN: dict[str, tuple[pl.Series, list[Any]]] = {
    "texts": (pl.Series(["a", " b ", "é\r\n\x01", "_x0041_", None]), ["a", " b ", "é\r\n\x01", "_x0041_", None]),
    "whole numbers": (pl.Series([1, -5, None]), [1.0, -5.0, None]),
    "fifteen digits": (pl.Series([999_999_999_999_999, -999_999_999_999_999]), [999999999999999.0, -999999999999999.0]),
    "sixteen digits": (pl.Series([1, 2**53 + 1, -(10**15)]), ["1", str(2**53 + 1), "-1000000000000000"]),
    "small whole numbers": (pl.Series([255, 0], dtype=pl.UInt8), [255.0, 0.0]),
    "numbers": (pl.Series([0.1, -2.5, 1e300, None]), [0.1, -2.5, 1e300, None]),
    "what is no number": (pl.Series([1.5, float("nan"), float("inf"), float("-inf")]), [1.5, None, None, None]),
    "money": (pl.Series([Decimal("19.9900"), Decimal("-0.0001")], dtype=pl.Decimal(38, 4)), [19.99, -0.0001]),
    "money of many digits": (
        pl.Series([Decimal("1.5"), Decimal("12345678901234.567")], dtype=pl.Decimal(38, 10)),
        ["1.5", "12345678901234.567"],
    ),
    "days": (pl.Series([dt.date(2024, 2, 29), None]), [dt.datetime(2024, 2, 29), None]),
    "days before those of Excel": (
        pl.Series([dt.date(1850, 1, 1), dt.date(1900, 2, 28), dt.date(1900, 3, 1)]),
        ["1850-01-01", "1900-02-28", "1900-03-01 00:00:00"],
    ),
    "moments": (
        pl.Series([dt.datetime(2024, 2, 29, 23, 59, 59), dt.datetime(2024, 1, 1)]),
        [dt.datetime(2024, 2, 29, 23, 59, 59), dt.datetime(2024, 1, 1)],
    ),
    "moments with a zone": (
        pl.Series([dt.datetime(2024, 2, 29, 12)]).dt.replace_time_zone("UTC"),
        ["2024-02-29T12:00:00+00:00"],
    ),
    "true and false": (pl.Series([True, False, None]), [True, False, None]),
    "lists": (pl.Series([["a", "b"], ["c"], None]), ["a|b", "c", None]),
    "nothing": (pl.Series([None, None], dtype=pl.Null), [None, None]),
}


@pytest.mark.parametrize("case", SHOWN)
def test_values_in_the_cells(desk: Desk, case: str) -> None:
    values, shown = SHOWN[case]
    frame = pl.DataFrame({"id": [f"k{n}" for n in range(len(values))], "x": values})
    path = desk / "out.xlsx"
    write([sink(frame.lazy(), path, "xlsx")])
    read = read_workbook(path)
    assert read["x"].to_list() == shown


def test_numbers_of_many_digits_are_texts_beside_numbers(desk: Desk) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": ["a", "b"], "x": [1, 2**60]}))
    desk.apply(head(path="c.parquet") + '[output]\nformat = "xlsx"\n' + EVERYONE)
    xml = cells((desk / "segments/all.xlsx").read_bytes())
    assert "<v>1</v>" in xml
    assert f"<t>{2**60}</t>" in xml


def rules_with(*output: str) -> str:
    return head() + "[output]\n" + "".join(f"{line}\n" for line in output) + SEGMENTS


def test_the_same_run_twice_has_the_same_bytes(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    rules = rules_with('format = "xlsx"', 'workbook = "w.xlsx"')
    desk.apply(rules, "-o", desk / "one")
    desk.apply(rules, "-o", desk / "two")
    one, two = desk.tree("one"), desk.tree("two")
    assert set(one) == {"young.xlsx", "old.xlsx", "w.xlsx", "manifest.json"}
    assert all(one[name] == two[name] for name in one if name != "manifest.json")
    assert b"2024-03-01T00:00:00Z" in zipfile.ZipFile(io.BytesIO(one["w.xlsx"])).read("docProps/core.xml")


def test_a_workbook_beside_the_lists(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    held = SEGMENTS.replace("[segment.old]", "holdout = 50\n[segment.old]")
    rules = head() + '[output]\nworkbook = "segments.xlsx"\n' + held
    summary = desk.json(rules)
    content = (desk / "segments/segments.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = re.findall(r'<sheet name="([^"]+)"', package.read("xl/workbook.xml").decode())
    assert names == ["Summary", "young", "young.holdout", "old"]
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert manifest["files"][:4] == ["young.csv", "young.holdout.csv", "old.csv", "segments.xlsx"]
    assert manifest["bytes"]["segments.xlsx"] == len(content)
    for name in names[1:]:
        read = read_workbook(content, name)
        assert read.columns == ["id", "segment", "name", "age"]
        assert read["id"].cast(pl.String).to_list() == [row["id"] for row in desk.read(f"segments/{name}.csv")]
    rows = fastexcel_rows(content)
    for segment in summary["segments"]:
        excluded = sum(segment["excluded"].values())
        line = next(row for row in rows if row[0] == segment["name"] and row[2] is not None and row[3] is not None)
        named = dict(zip(next(row for row in rows if row[0] == "Segment"), line, strict=True))
        assert named["Label"] == ("" if segment["label"] == segment["name"] else segment["label"])
        assert [named[n] for n in ("Matched", "Excluded", "Written")] == [
            str(number) for number in (segment["matched"], excluded, segment["written"])
        ]
    sheets = {row[0]: row[1:3] for row in rows[[row[0] for row in rows].index("Sheet") + 1 :]}
    written = summary["segments"][0]
    assert sheets["young"] == ("young.csv", str(written["written"]))
    assert sheets["young.holdout"] == ("young.holdout.csv", str(written["excluded"]["holdout"]))


def test_a_workbook_on_paper(desk: Desk) -> None:
    """Every sheet is as wide as a page of A4; a text that begins where a number ends stands a little apart."""
    desk.put("c.csv", PEOPLE)
    desk.apply(rules_with('workbook = "w.xlsx"', 'columns = ["age", "name"]'))
    with zipfile.ZipFile(desk / "segments/w.xlsx") as package:
        sheets = {name: package.read(name).decode() for name in package.namelist() if "/sheet" in name}
        styles = package.read("xl/styles.xml").decode().partition("<cellXfs")[2].split("<xf ")[1:]
    assert len(sheets) == 3
    for xml in sheets.values():
        assert '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>' in xml
        assert 'fitToPage="1"' in xml
    cells = dict(re.findall(r'<c r="([A-Z]+[12])"(?: s="(\d+)")?', sheets["xl/worksheets/sheet2.xml"]))
    indented = {cell for cell, style in cells.items() if style and 'indent="1"' in styles[int(style)]}
    assert indented == {"D1", "D2"}  # id, segment, age, name


def fastexcel_rows(content: bytes) -> list[tuple[str | None, ...]]:
    import fastexcel

    sheet = fastexcel.read_excel(content).load_sheet("Summary", header_row=None, dtypes="string")
    return list(sheet.to_polars().rows())


def test_names_of_sheets_are_short_and_differ(desk: Desk) -> None:
    long = "a" * 31
    desk.put("c.csv", "id,v\na,x\nb,Y\n")
    names = [long, f"{long}b", f"{long}c", "summary", "history"]
    rules = head() + '[output]\nworkbook = "w.xlsx"\n' + "".join(f"[segment.{n}]\neveryone = true\n" for n in names)
    desk.apply(rules)
    content = (desk / "segments/w.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = re.findall(r'<sheet name="([^"]+)"', package.read("xl/workbook.xml").decode())
    cut = "a" * 29
    assert sheets == ["Summary", long, f"{cut}~2", f"{cut}~3", "summary~2", "history~2"]
    rows = fastexcel_rows(content)
    assert [row[1] for row in rows if row[0] == f"{cut}~3"] == [f"{long}c.csv"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a:b", "a/b", "A?B"], ["a_b", "a_b~2", "A_B~3"]),
        (["'", "''", "x'"], ["_", "_~2", "x"]),
        ([f"{'a' * 30}'b"], ["a" * 29 + "~2"]),
        ([f"n{i}" for i in range(12)] + ["N10"], [f"n{i}" for i in range(12)] + ["N10~2"]),
        (["Summary", "HISTORY"], ["Summary~2", "HISTORY~2"]),
    ],
)
def test_names_that_a_sheet_may_have(given: list[str], expected: list[str]) -> None:
    assert sheet_names(given, taken=["Summary"]) == expected


def test_changes_in_a_workbook(desk: Desk) -> None:
    rules = rules_with("changes = true", 'workbook = "w.xlsx"', 'format = "xlsx"')
    desk.put("c.csv", "id,age\na,30\nb,50\n")
    desk.apply(rules)
    desk.put("c.csv", "id,age\na,60\nc,20\n")
    desk.apply(rules)
    content = (desk / "segments/w.xlsx").read_bytes()
    found = {
        name: read_workbook(content, name)["id"].to_list() for name in ("young.entered", "young.left", "old.entered")
    }
    assert found == {"young.entered": ["c"], "young.left": ["a"], "old.entered": ["a"]}
    assert {row[0]: row[2] for row in fastexcel_rows(content)}["young.left"] == "1"


def test_runs_of_workbooks_are_kept_compared_and_explained(desk: Desk) -> None:
    rules = rules_with('format = "xlsx"', "keep = 2")
    desk.put("c.csv", "id,age\n01,30\n02,50\n03,40\n")
    desk.apply(rules)
    desk.put("c.csv", "id,age\n01,60\n03,20\n")
    (young, old) = desk.json(rules, "--as-of", "2024-03-02")["segments"]
    assert (young["change"], old["change"]) == ({"entered": 0, "left": 1}, {"entered": 1, "left": 2})
    runs = sorted(path for path in (desk / "segments").iterdir() if path.is_dir() and not path.is_symlink())
    done = desk.segkit("diff", runs[0], runs[1], "--json", "--entered", desk / "new.xlsx")
    assert [(s["entered"], s["left"]) for s in json.loads(done.stdout)["segments"]] == [(0, 1), (1, 2)]
    assert read_workbook(desk / "new.xlsx").rows() == [("01", "old")]
    told = json.loads(desk.segkit("explain", "--run", runs[1], "03", "--json").stdout)
    outcome = {s["name"]: s for s in told["customers"][0]["segments"]}
    assert "young.xlsx" in json.dumps(outcome["young"])


def test_a_list_that_is_no_workbook_any_more_is_an_error(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    rules = rules_with('format = "xlsx"')
    desk.apply(rules, "-o", desk / "one")
    desk.apply(rules, "-o", desk / "two")
    size = (desk / "one/old.xlsx").stat().st_size
    (desk / "one/old.xlsx").write_bytes(b"x" * size)
    error = desk.segkit("diff", desk / "one", desk / "two", code=3).stderr
    assert f"error: `{desk / 'one/old.xlsx'}` is not the workbook that segkit has written\n" in error


def test_what_a_cell_does_not_hold_is_refused_before_anything_is_published(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    desk.apply(rules_with())
    before = desk.tree()
    desk.put("c.csv", f"id,age,note\na,30,{'x' * 32_767}\nb,30,{'y' * 32_768}\n")
    for output in (['format = "xlsx"'], ['workbook = "w.xlsx"']):
        error = desk.apply(rules_with(*output), code=4).stderr
        message = "a text in column `note` of `young` has 32,768 characters, and a cell of a workbook holds 32,767"
        assert f"error: {message}\n" in error
        assert error.count("error: ") == 1
        assert "yyyy" not in error
        assert desk.tree() == before


def test_a_list_of_more_rows_than_a_sheet_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.write.workbook.MOST_ROWS", 2)
    desk.put("c.csv", PEOPLE)
    desk.apply(rules_with('format = "xlsx"'))
    error = desk.apply(head() + '[output]\nformat = "xlsx"\ndirectory = "all"\n' + EVERYONE, code=4).stderr
    assert "error: `all` has more rows than the 2 that a sheet of a workbook holds\n" in error
    assert not (desk / "all").exists()


WRONG = {
    "segments.xls": "is not the name of a workbook",
    "a/b.xlsx": "is not the name of a workbook",
    ".xlsx": "is not the name of a workbook",
    "all.xlsx": "is the name of the combined file, or may become it",
}


@pytest.mark.parametrize("name", WRONG)
def test_names_that_a_workbook_may_not_have(desk: Desk, name: str) -> None:
    desk.put("c.csv", PEOPLE)
    error = desk.apply(rules_with(f'workbook = "{name}"', 'combined = "all.csv"'), code=2).stderr
    assert WRONG[name] in error
    assert 'workbook = "' in error


def test_a_workbook_is_not_named_as_a_list(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    error = desk.apply(rules_with('workbook = "young.xlsx"', 'format = "xlsx"'), code=2).stderr
    assert "`young.xlsx` is the name of the file of `[segment.young]`" in error
    desk.apply(rules_with('workbook = "young.xlsx"'))


def test_an_old_workbook_goes_with_its_run_and_no_other_is_taken(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    desk.apply(rules_with('workbook = "w.xlsx"'))
    desk.apply(rules_with())
    assert not (desk / "segments/w.xlsx").exists()
    desk.put("segments/w.xlsx", b"mine")
    desk.apply(rules_with('workbook = "w.xlsx"'), code=4)
    assert (desk / "segments/w.xlsx").read_bytes() == b"mine"


def test_lists_of_protected_columns_are_protected_in_the_workbook(desk: Desk) -> None:
    desk.put("c.csv", "id,email,age\na,Me@x.org,30\n")
    desk.apply(rules_with('hash = ["email"]', 'workbook = "w.xlsx"'))
    content = (desk / "segments/w.xlsx").read_bytes()
    assert read_workbook(content, "young")["email"].to_list() == [
        row["email"] for row in desk.read("segments/young.csv")
    ]
    assert "x.org" not in cells(content, 2)


def test_what_goes_out_comes_in_again(desk: Desk) -> None:
    """A list is a source, and gives the same list."""
    desk.put("c.csv", PEOPLE)
    desk.apply(rules_with('format = "xlsx"'))
    again = head(path="segments/young.xlsx") + '[output]\ndirectory = "again"\nformat = "xlsx"\n' + SEGMENTS
    desk.apply(again)
    assert (desk / "again/young.xlsx").read_bytes() == (desk / "segments/young.xlsx").read_bytes()


def test_tables_of_one_day_are_the_same_bytes(desk: Desk) -> None:
    desk.put("o.xlsx", workbook({"Orders": orders()}))
    for command in ("rfm", "cohorts"):
        for name in ("a.xlsx", "b.xlsx"):
            desk.segkit(command, desk / "o.xlsx", "--as-of", "2024-03-31", "-o", desk / name)
        content = (desk / "a.xlsx").read_bytes()
        assert content == (desk / "b.xlsx").read_bytes()
        assert b"2024-03-31T00:00:00Z" in zipfile.ZipFile(io.BytesIO(content)).read("docProps/core.xml")
        assert len(read_workbook(content)) > 2


def test_a_workbook_of_another_rule_file_that_this_run_writes_too(desk: Desk) -> None:
    """Its lists are written anew, and so is the workbook: nothing vanishes. Without one, it would."""
    desk.put("c.csv", PEOPLE)
    desk.segkit("apply", desk.put("one.toml", rules_with('workbook = "w.xlsx"')))
    error = desk.segkit("apply", desk.put("two.toml", rules_with()), code=4).stderr
    assert "`w.xlsx`" in error
    desk.segkit("apply", desk.put("two.toml", rules_with('workbook = "w.xlsx"')))


def test_a_header_without_rows(desk: Desk) -> None:
    desk.put("c.xlsx", workbook([["id", "x"]]))
    desk.put("c.csv", "id,x\n")
    of_text = told(desk, head() + EVERYONE)
    assert told(desk, CUSTOMERS + EVERYONE) == of_text


def test_cdata_of_libreoffice_is_text(desk: Desk) -> None:
    """A reader finds no text in `<![CDATA[...]]>`."""

    def cell(text: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    rows = [["id", "N"], ["a", "ALL"], ["b", "SOME"], ["c", "TWO"], ["d", "plain"]]
    cells = {
        "N": "<![CDATA[x]]>",
        "ALL": "<![CDATA[cd&ata]]>",
        "SOME": "a<![CDATA[<b>]]>&amp;<text:s/>c",
        "TWO": "<![CDATA[1]]></text:p><text:p>2",
    }
    desk.put("c.ods", ods_with(rows, **{name: cell(text) for name, text in cells.items()}))
    found = desk.columns(head(path="c.ods"), "x")
    assert found == {"a": "cd&ata", "b": "a<b>& c", "c": "1\n2", "d": "plain"}


TWICE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a row": (lambda text: text.replace(b'r="3"', b'r="2"').replace(b'"A3"', b'"A2"').replace(b'"B3"', b'"B2"'), "A2"),
    "a row after others": (lambda text: text.replace(b'r="4"', b'r="2"').replace(b'"A4"', b'"A2"'), "A2"),
    "a cell": (lambda text: text.replace(b'"B3"', b'"A3"'), "A3"),
    "a row without places of cells": (lambda text: re.sub(b' r="[AB]3"', b"", text).replace(b'r="3"', b'r="2"'), "A2"),
}


@pytest.mark.parametrize("case", TWICE)
@pytest.mark.parametrize("given", ["", "skip_lines = 0"])
def test_a_row_or_a_cell_that_comes_twice_is_an_error(desk: Desk, case: str, given: str) -> None:
    change, name = TWICE[case]
    desk.put("c.xlsx", changed(workbook([["id", "x"], ["a", 1], ["b", 2], ["c", 3]]), SHEET, change))
    error = desk.apply(head(given, path="c.xlsx") + EVERYONE, code=3).stderr
    assert f"error: the cell {name}, or its row, comes more than once in the sheet" in error
    assert f"  --> {desk / 'c.xlsx'}, sheet Sheet1, row {name[1:]}\n" in error


def test_rows_and_cells_in_another_order_come_once(desk: Desk) -> None:
    def other_way(text: bytes) -> bytes:
        rows = re.findall(b'<row r="[23]".*?</row>', text)
        return text.replace(b"".join(rows), b"".join(reversed(rows)))

    def cells(text: bytes) -> bytes:
        return re.sub(b'(<c r="A3".*?</c>)(<c r="B3".*?</c>)', rb"\2\1", text)

    for change in (other_way, cells):
        desk.put("c.xlsx", changed(workbook([["id", "x"], ["a", 1], ["b", Formula("=1", 2)]]), SHEET, change))
        assert desk.columns(CUSTOMERS, "x") == {"a": "1", "b": "2"}
