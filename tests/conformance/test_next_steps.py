"""The next step that an error names is the one that keeps what was meant."""

from __future__ import annotations

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

SQL = [
    # lines of [customers], of [events.o], of the rest; the section to derive in, the SQL
    ("", 'amount = "price * pieces"', "", "events.o", "price * pieces"),
    ("", 'amount = "ROUND(price)"', "", "events.o", "ROUND(price)"),
    ("", 'amount = "price - pieces"', "", "events.o", "price - pieces"),
    ("", "", '[trait.t]\nyears_since = "COALESCE(born, born)"\n', "customers", "COALESCE(born, born)"),
    ("", "", '[segment.t]\ndemographic."size + size".min = 3\n', "customers", "size + size"),
]


@pytest.mark.parametrize(("customers", "events", "more", "section", "sql"), SQL)
def test_sql_in_the_place_of_a_column(
    desk: Desk, customers: str, events: str, more: str, section: str, sql: str
) -> None:
    desk.put("c.csv", "id,born,size\nk1,1990-01-01,3\n")
    desk.put("o.csv", "id,day,price,pieces\nk1,2024-01-01,3,4\n")
    rules = head(customers) + event_table("o", "o.csv", events) + more + "[segment.s]\neveryone = true\n"
    said = desk.segkit("check", "--data", desk.put("rules.toml", rules), code=1).stdout
    assert f"derive one in `[{section}]`, `derive = {{ NAME = '{sql}' }}`, and name it" in said
    assert "did you mean" not in said


def test_a_name_with_marks_is_no_sql(desk: Desk) -> None:
    desk.put("c.csv", "id,Income (EUR)\nk1,3\n")
    rules = head() + '[segment.s]\ndemographic."Income (EUR".min = 3\n'
    said = desk.segkit("check", "--data", desk.put("rules.toml", rules), code=1).stdout
    assert "did you mean `Income (EUR)`?" in said


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('size.min = "60"', "write 60 without quotes"),
        ('size.max = "-2.5"', "write -2.5 without quotes"),
        ('size.between = ["1", 5]', "write 1 without quotes"),
    ],
)
def test_a_number_in_quotes(desk: Desk, condition: str, hint: str) -> None:
    rules = desk.put("rules.toml", head() + f"[segment.s]\ndemographic.{condition}\n")
    assert f"hint: {hint}" in desk.segkit("check", rules, code=1).stdout


def test_a_number_in_quotes_where_a_column_has_numbers(desk: Desk) -> None:
    desk.put("c.csv", "id,size\nk1,3\nk2,60\n")
    rules = desk.put("rules.toml", head() + '[segment.s]\ndemographic.size = "60"\n')
    assert "write it without quotes: 60" in desk.segkit("check", "--data", rules, code=1).stdout


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('age = "< 50"', "write `age.below = 50`"),
        ('age = ">=18"', "write `age.min = 18`"),
        ('age = "18-49"', "write `age.between = [18, 49]`"),
        ('age.in = ["18 to 49"]', "write `age.between = [18, 49]`"),
        ('day = "> 2024-01-31"', "write `day.above = 2024-01-31`"),
    ],
)
def test_comparisons_as_others_write_them(desk: Desk, condition: str, hint: str) -> None:
    desk.put("c.csv", "id,age,day\nk1,30,2024-02-01\n")
    done = desk.apply(head() + f"[segment.s]\ndemographic.{condition}\n", code=2)
    assert f"hint: {hint}\n" in done.stderr


def test_what_is_no_rule_file(desk: Desk) -> None:
    """Data are not quoted, a folder with rule files names them, a run says how it is looked into."""
    data = desk.put("c.csv", "id,name\n1,André Gide\n".encode("cp1252"))
    done = desk.segkit("apply", data, code=2)
    assert "c.csv` holds data, not rules" in done.stderr and "Gide" not in done.stderr
    desk.apply(head() + "[segment.s]\neveryone = true\n")
    assert "did you mean `rules.toml`?" in desk.segkit("check", desk / "rule.toml", code=2).stderr
    assert "has `rules.toml`: name one of them first" in desk.segkit("apply", desk / "11000", code=2).stderr
    assert "segkit explain --run" in desk.segkit("explain", desk / "segments", "1", code=2).stderr
    assert "segkit init" in desk.segkit("apply", desk / "empty" / "rules.toml", code=2).stderr


@pytest.mark.parametrize("extension", ["parquet", "arrow"])
def test_infinite_amounts_of_typed_files_are_helped_by_what_is_named(desk: Desk, extension: str) -> None:
    desk.put("c.csv", "id\nk1\nk2\n")
    frame = pl.DataFrame({"id": ["k1", "k2"], "day": ["2024-01-01"] * 2, "total": [1.0, float("inf")]})
    desk.put(f"o.{extension}", frame)
    spent = '[trait.spent]\nevents = "o"\nmeasure = "sum"\n[segment.s]\nbehavioural.spent.min = 1\n'
    rules = head() + event_table("o", f"o.{extension}", 'amount = "total"') + spent
    said = desk.apply(rules, "--dry-run", code=3).stderr
    assert "null_values" not in said and 'give `bad_values = "missing"`' in said
    mended = event_table("o", f"o.{extension}", 'amount = "total"', 'bad_values = "missing"')
    desk.apply(head() + mended + spent, "--dry-run")


def test_infinite_amounts_of_texts_may_be_named_as_missing(desk: Desk) -> None:
    desk.put("c.csv", "id\nk1\nk2\n")
    desk.put("o.csv", "id,day,total\n" + "k1,2024-01-01,1.5\n" * 50 + "k2,2024-01-01,inf\n")
    spent = '[trait.spent]\nevents = "o"\nmeasure = "sum"\n[segment.s]\nbehavioural.spent.min = 1\n'
    said = desk.apply(head() + event_table("o", "o.csv", 'amount = "total"') + spent, "--dry-run", code=3).stderr
    assert 'null_values = ["inf"]' in said
    mended = event_table("o", "o.csv", 'amount = "total"', 'null_values = ["inf"]')
    desk.apply(head() + mended + spent, "--dry-run")
