"""Delimited text: encodings, delimiters, headers, lines."""

from __future__ import annotations

import codecs
import gzip
import io
import os
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import Table, Workspace, explain_failure
from tests.unit.io.read.fixture_types import Opener


def rows(table: Table) -> list[tuple[Any, ...]]:
    return table.frame.collect(engine="streaming").rows()


def line_of(found: Diagnostic) -> int | None:
    assert found.location is not None
    return found.location.line


ACCENTS = "prénom,ville\nZoé,Nîmes\n"
ENCODINGS = {
    "ascii": (b"a,b\n1,2\n", {}, "utf-8"),
    "utf-8": (ACCENTS.encode(), {}, "utf-8"),
    "utf-8 with a mark": (codecs.BOM_UTF8 + ACCENTS.encode(), {}, "utf-8"),
    "cp1252": (ACCENTS.encode("cp1252"), {}, "cp1252"),
    "cp1252 after a megabyte": (b"a,b\n" + b"1,2\n" * 300_000 + "é,x\n".encode("cp1252"), {}, "cp1252"),
    "utf-16": (codecs.BOM_UTF16_LE + ACCENTS.encode("utf-16-le"), {}, "utf-16"),
    "given": (ACCENTS.encode("mac-roman"), {"encoding": "mac-roman"}, None),
}


@pytest.mark.parametrize(("content", "given", "detected"), ENCODINGS.values(), ids=ENCODINGS)
def test_encoding(opened: Opener, content: bytes, given: dict[str, Any], detected: str | None) -> None:
    table = opened(content, **given)
    encoding = "utf-8-sig" if detected == "utf-8" else detected or given["encoding"]
    lines = content.decode(encoding).splitlines()
    assert list(table.columns) == lines[0].split(",")
    assert rows(table)[-1] == tuple(lines[-1].split(","))
    assert table.detected.get("encoding") == detected


LAYOUTS = {
    "commas": ("a,b\n1,2\n", ",", [("1", "2")]),
    "semicolons": ("a;b\n1,5;2\n", ";", [("1,5", "2")]),
    "tabs": ("a\tb\n1, x\t2\n", "tab", [("1, x", "2")]),
    "bars": ("a|b\n1|2\n", "|", [("1", "2")]),
    "one column": ("mail\na@b.c\nd@e.f\n", ",", [("a@b.c",), ("d@e.f",)]),
    "one column of two words": ("full name\nJane Doe\n", ",", [("Jane Doe",)]),
    "runs of spaces": (" id  day\n  1   x\n 22  y\n", "runs of spaces", [("1", "x"), ("22", "y")]),
    "quoted delimiters": ('a;b,c\n"1;1";"x,y"\n"2;2";z\n', ";", [("1;1", "x,y"), ("2;2", "z")]),
    "quoted line breaks": ('a,b\n"1\n\n1",2\n3,4\n', ",", [("1\n\n1", "2"), ("3", "4")]),
    "doubled quotes": ('a,b\n"1""2",3\n', ",", [('1"2', "3")]),
    "carriage returns": ("a,b\r\n1,2\r\n", ",", [("1", "2")]),
    "carriage returns alone": ("a,b\r1,2\r3,4\r", ",", [("1", "2"), ("3", "4")]),
    "no line end": ("a,b\n1,2", ",", [("1", "2")]),
    "blank lines first": ("\n\na,b\n1,2\n", ",", [("1", "2")]),
    "empty fields": ("a,b\n,2\n1,\n,\n", ",", [(None, "2"), ("1", None), (None, None)]),
    "as it stands": ("a,b\nTRUE,1e16\n 01234 ,x \n", ",", [("TRUE", "1e16"), (" 01234 ", "x ")]),
    "header alone": ("a,b\n", ",", []),
    "header without a line end": ("a;b", ";", []),
}


@pytest.mark.parametrize(("content", "delimiter", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_layout(opened: Opener, content: str, delimiter: str, expected: list[tuple[str | None, ...]]) -> None:
    table = opened(content)
    assert table.detected["delimiter"] == delimiter
    assert rows(table) == expected


def test_given_delimiter_and_quote(opened: Opener) -> None:
    assert rows(opened("a^b\n'1^1'^2\n", delimiter="^", quote="'")) == [("1^1", "2")]
    assert rows(opened('a,b\n5" pipe,2\n', quote="")) == [('5" pipe', "2")]
    assert rows(opened("a b\n1   2\n", delimiter=" ")) == [("1", "2")]


def test_a_wrong_delimiter_gives_one_column_and_a_hint(opened: Opener) -> None:
    table = opened("a;b\n1;2\n", delimiter="|")
    assert list(table.columns) == ["a;b"]
    assert "`delimiter`" in (table.one_column_hint() or "")
    assert opened("a;b\n1;2\n").one_column_hint() is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("00004,0001,19970101,2,29.33", "19970101"),
        ("7,Zoé,03/02/2024", "03/02/2024"),
        ("7,Zoé,2024-02-03 10:00", "2024-02-03 10:00"),
        ("7,-4.50", "-4.50"),
        ("id,total", None),
        ("id,2023,2024", None),
        ("id,v1.5,q_2024-01-01", None),
    ],
)
def test_a_first_line_of_values_gives_a_hint(opened: Opener, header: str, value: str | None) -> None:
    hint = opened(f"{header}\n{header}\n").no_header_hint()
    assert hint is None if value is None else f"`{value}`" in (hint or "")


def test_header_names_are_trimmed_and_never_empty(opened: Opener) -> None:
    table = opened(' a , "b c" ,,\n1,2,3,4\n'.replace(' "b c" ', '"b c "'))
    assert list(table.columns) == ["a", "b c", "column_3", "column_4"]
    assert rows(table) == [("1", "2", "3", "4")]


ERRORS = {
    "nothing": (b"", {}, "`data.csv` is empty", None),
    "blank lines": (b"\n \r\n\n", {}, "`data.csv` is empty: it has only blank lines", None),
    "two columns of one name": (b"a,b,a\n", {}, "columns 1 and 3 are both named `a`", 1),
    "a png": (b"\x89PNG\r\n\x1a\n", {}, "looks like a PNG image", None),
    "a part of a ZIP": (b"PK\x03\x04abc", {}, "is damaged: File is not a zip file", None),
    "binary": (b"a,b\n\0\1\2,\n", {}, "is not text: it holds NUL bytes", None),
    "not utf-8": (b"a,b\n1,2\n\xff,3\n", {"encoding": "utf-8"}, "is not valid UTF-8", 3),
    "no such encoding": (b"a\n1\n", {"encoding": "klingon"}, "there is no encoding `klingon`", None),
    "no encoding of text": (b"a\n1\n", {"encoding": "hex"}, "there is no encoding `hex`", None),
    "undefined in the encoding": (b"a\n1\n\x81\n", {"encoding": "cp1253"}, "cannot be read as cp1253", None),
    "a byte that is none, late": (b"a,b\n" + b"1,2\n" * 70_000 + b"\0,2\n", {}, "it holds NUL bytes", 70_002),
    "long delimiter": (b"a||b\n", {"delimiter": "||"}, "the delimiter `||` is not one ASCII character", None),
    "too many fields": (b"a,b\n1,2\n1,2,3\n", {}, "3 fields where the header has 2", 3),
    "too few fields": (b"a,b,c\n1,2,3\n1,2\n", {}, "2 fields where the header has 3", 3),
    "one field": (b"a,b,c\n1,2,3\nx\n", {}, "1 field where the header has 3", 3),
    "in one column": (b"a\n1\n2,3\n", {}, "2 fields where the header has 1", 3),
    "after a quoted line break": (b'a,b\n"1\n1",2\n1\n', {}, "1 field where the header has 2", 4),
    "unknown type": (b"age,b\n1,2\n", {"types": {"agee": "number"}}, "`types` of `data` names column `agee`", None),
    "unknown rename": (b"age,b\n1,2\n", {"rename": {"x": "Age"}}, "`rename` names column `Age`", None),
    "rename to a taken name": (b"age,b\n1,2\n", {"rename": {"b": "age"}}, "gives column `age` the name `b`", None),
    "a date format that is none": (b"a\n1\n", {"date_format": "%Q"}, "`%Q` is no date format", None),
    "a date format without a year": (b"a\n1\n", {"date_format": "%d/%m"}, "`%d/%m` is no date format", None),
}


@pytest.mark.parametrize(("content", "given", "message", "line"), ERRORS.values(), ids=ERRORS)
def test_error(opened: Opener, content: bytes, given: dict[str, Any], message: str, line: int | None) -> None:
    with pytest.raises(DataError) as raised:
        opened(content, **given)
    first = raised.value.diagnostics[0]
    assert message in first.message
    assert line is None or line_of(first) == line
    assert not first.message.endswith(".")


def test_ragged_lines_are_counted_and_the_first_five_shown(opened: Opener) -> None:
    with pytest.raises(DataError) as raised:
        opened("a,b\n" + "1\n" * 7 + "1,2\n")
    assert [line_of(d) for d in raised.value.diagnostics] == [2, 3, 4, 5, 6, None]
    assert raised.value.diagnostics[-1].message == "7 lines have too many or too few fields"


def test_an_open_quote_is_named(opened: Opener) -> None:
    with pytest.raises(DataError) as raised:
        opened('a,b\n1,2\n"3,4\n5,6\n')
    (found,) = raised.value.diagnostics
    assert (found.message, line_of(found)) == ("the quotation marks of this line do not pair up", 3)


def test_blank_lines_are_not_ragged(opened: Opener) -> None:
    table = opened("a,b\n1,2\n\n3,4\n\n\n")
    assert table.frame.select(pl.len()).collect().item() == 5


def test_lines_of_large_files_are_checked_beside_the_run(
    opened: Opener, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 1000)
    opened("a,b\n" + '"1,1",2\n' * 100_000 + "\n\n").check_lines(workspace, all_read=True)
    workspace.verify()
    table = opened("a,b\n" + '"1,1",2\n' * 100_000 + "1\n", "other.csv")
    table.check_lines(workspace, all_read=True)
    with pytest.raises(DataError) as raised:
        workspace.verify()
    assert line_of(raised.value.diagnostics[0]) == 100_002
    error = explain_failure([table])
    assert error is not None
    assert error.diagnostics == raised.value.diagnostics


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize(("quote", "quoted"), [(None, True), ("'", False), ("", False)])
def test_a_text_tells_whether_it_has_quotation_marks(
    opened: Opener, encoding: str, quote: str | None, quoted: bool
) -> None:
    text = "a,b\né,2\n" + "1,2\n" * 100_000 + '"1",2\n'
    table = opened(text.encode(encoding), encoding=encoding, **({} if quote is None else {"quote": quote}))
    found = table.parts[0].text
    assert found is not None
    assert found.quoted is quoted


def test_without_quotation_marks_lines_that_are_read_whole_need_no_check(
    opened: Opener, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 1000)
    table = opened("a,b\n" + "1,2\n" * 1000 + "1\n")
    table.check_lines(workspace, all_read=True)
    workspace.verify()
    table.check_lines(workspace, all_read=False)
    with pytest.raises(DataError):
        workspace.verify()


def test_a_quote_inside_a_field_is_text(opened: Opener) -> None:
    table = opened('a,b\n1,2\n5" pipe,2\n4,5\n')
    assert rows(table) == [("1", "2"), ('5" pipe', "2"), ("4", "5")]
    assert explain_failure([table]) is None


def test_nothing_to_explain(opened: Opener) -> None:
    assert explain_failure([opened("a,b\n1,2\n"), opened('a,b\n"x\ny",2\n')]) is None


def test_rename(opened: Opener) -> None:
    table = opened("Âge,b\n1,2\n", rename={"age": "Âge"}, types={"age": "number"})
    assert list(table.columns) == ["age", "b"]
    assert table.frame.select(table.value("age")).collect().rows() == [(1.0,)]


def test_swapped_names(opened: Opener) -> None:
    table = opened("a,b\n1,2\n", rename={"a": "b", "b": "a"})
    assert table.frame.select("a", "b").collect().rows() == [("2", "1")]


def test_files_of_a_glob_each_have_their_own_layout(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "o1.csv").write_bytes("a,b\n1,é\n".encode("cp1252"))
    (tmp_path / "o2.csv").write_text("b;a\nx;2\n")
    (tmp_path / "o3.csv.gz").write_bytes(gzip.compress(b"a,b\n3,z\n"))
    table = opened(path="o*")
    assert [label.name for label in table.labels] == ["o1.csv", "o2.csv", "o3.csv.gz"]
    assert rows(table) == [("1", "é"), ("2", "x"), ("3", "z")]
    assert table.detected == {"encoding": "cp1252, utf-8", "delimiter": ",, ;"}


def test_files_of_a_glob_have_the_same_columns(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "o1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "o2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match=r"`o2.csv` lacks `b` and also has `c`"):
        opened(path="o*.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_once(opened: Opener, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    writer = Thread(target=(tmp_path / "pipe.csv").write_text, args=["a,b\n1,2\n"])
    writer.start()
    assert rows(opened(path="pipe.csv")) == [("1", "2")]
    writer.join()


def test_many_files_are_sampled_evenly(opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 100)
    for number in range(60):
        (tmp_path / f"o{number:02}.csv").write_text("a\n1\n2.5\n")
    table = opened(path="o*.csv")
    assert (str(table.columns["a"].type), table.whole) == ("number", False)
    assert len(rows(table)) == 120


def test_standard_input(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"a;b\n1;x\n")

    monkeypatch.setattr("sys.stdin", Stdin())
    assert rows(opened(path="-")) == [("1", "x")]
