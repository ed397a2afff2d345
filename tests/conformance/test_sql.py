"""SQL: every function with every kind of column in every place has the right value, or one clear error."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest

from tests.desk import ROOT, Desk, event_table, head

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

COLUMNS = {"t": "VARCHAR", "n": "BIGINT", "f": "DOUBLE", "m": "DECIMAL(18, 2)", "d": "DATE", "s": "TIMESTAMP",
           "b": "BOOLEAN", "l": "VARCHAR[]"}  # fmt: skip
"""A column of each kind, by a letter: text, integer, number, money, date, timestamp, boolean, list."""
ROWS: list[dict[str, Any]] = [
    {"t": "Ab.c1", "n": 7, "f": 2.75, "m": Decimal("19.95"), "d": dt.date(2024, 2, 29),
     "s": dt.datetime(2024, 2, 29, 18, 30, 5), "b": True, "l": ["x", "y"]},
    {"t": "-12.5", "n": -3, "f": -0.6, "m": Decimal("-0.35"), "d": dt.date(1999, 12, 31),
     "s": dt.datetime(1999, 12, 31, 0, 7, 59), "b": False, "l": ["y"]},
    dict.fromkeys(COLUMNS),
]  # fmt: skip
KEYS = "abc"


class Case(NamedTuple):
    """An expression over a column `x`, the kinds that it takes, and the same in DuckDB, or its values by kind."""

    sql: str
    kinds: str
    duck: str | None = None
    values: dict[str, list[Any]] | None = None


def text(sql: str, duck: str | None = None) -> Case:
    """A text function: it takes texts, and the fields that numbers and booleans were read from."""
    return Case(sql, "tnfmb", (duck or sql).replace("x", "CAST(x AS VARCHAR)"))


def any_text(sql: str) -> Case:
    """What makes text of anything but lists."""
    return Case(sql, "tnfmbds", sql.replace("x", "CAST(x AS VARCHAR)"))


def number(sql: str, duck: str | None = None) -> Case:
    return Case(sql, "nfm", (duck or sql).replace("x", "CAST(x AS DOUBLE)"))


def arithmetic(sql: str, duck: str | None = None) -> Case:
    return Case(sql, "nfmb", (duck or sql).replace("x", "TRY_CAST(x AS DOUBLE)"))


def of_date(part: str) -> Case:
    return Case(f"EXTRACT({part} FROM x)", "ds")


CASES = [
    text("LEFT(x, 2)"), text("LEFT(x, -2)"), text("RIGHT(x, 2)"), text("LENGTH(x)"), text("CHAR_LENGTH(x)", "LENGTH(x)"),
    text("OCTET_LENGTH(x)", "STRLEN(x)"), text("BIT_LENGTH(x)"), text("UPPER(x)"), text("LOWER(x)"),
    text("TRIM(x)"), text("LTRIM(x, '-')"), text("RTRIM(x, '5')"), text("LPAD(x, 8, '0')"), text("RPAD(x, 3, '0')"),
    text("REPLACE(x, '.', ',')"), text("REVERSE(x)"), text("STARTS_WITH(x, '-')"), text("ENDS_WITH(x, '5')"),
    text("SUBSTR(x, 2)"), text("SUBSTR(x, 2, 2)"), text("SPLIT_PART(x, '.', 2)"), text("STRPOS(x, '.')"),
    text("POSITION('5' IN x)"), text("REGEXP_LIKE(x, '^-?[0-9]+$')", "REGEXP_MATCHES(x, '^-?[0-9]+$')"),
    text("REGEXP_REPLACE(x, '[0-9]', '#')"), text("x LIKE '%.%'"), text("x ILIKE 'a%'"), text("x ~ '^-'", "REGEXP_MATCHES(x, '^-')"),
    text("NORMALIZE(x)", "NFC_NORMALIZE(x)"), text("INITCAP(x)", "UPPER(LEFT(x, 1)) || LOWER(SUBSTR(x, 2, 2)) || UPPER(SUBSTR(x, 4, 1)) || SUBSTR(x, 5)")._replace(kinds="tnfmb", values={"t": ["Ab.C1", "-12.5", None], "b": ["True", "False", None]}),
    text("ARRAY_LENGTH(STRING_TO_ARRAY(x, '.'))", "LENGTH(STRING_SPLIT(x, '.'))"),
    text("ARRAY_TO_STRING(STRING_TO_ARRAY(x, '.'), '+')"),
    any_text("x || '!'"), any_text("CONCAT(x, '!')"), any_text("CONCAT_WS('-', x, 'z')"), any_text("TRY_CAST(x AS VARCHAR)"),
    any_text("COALESCE(x, 'none')"), any_text("CASE WHEN x IS NULL THEN 'none' ELSE x END"), any_text("IFNULL(x, 'none')"),
    number("ABS(x)"), number("FLOOR(x)"), number("CEIL(x)"), number("SIGN(x)"), number("TRUNC(x)"), number("ROUND(x)"),
    number("ROUND(x, 1)")._replace(values={"f": [2.8, -0.6, None], "m": [20.0, -0.4, None]}),
    number("SQRT(x)", "CASE WHEN x >= 0 THEN SQRT(x) END"), number("CBRT(x)"), number("EXP(x)"),
    number("LN(x)", "CASE WHEN x > 0 THEN LN(x) END"), number("LOG2(x)", "CASE WHEN x > 0 THEN LOG2(x) END"),
    number("LOG10(x)", "CASE WHEN x > 0 THEN LOG10(x) END"), number("LOG(x, 3)", "CASE WHEN x > 0 THEN LN(x) / LN(3) END"),
    number("LOG1P(x)", "CASE WHEN x > -1 THEN LN(1 + x) END"), number("POW(x, 2)"), number("POW(x, -1)"),
    number("SIN(x)"), number("COS(x)"), number("TAN(x)"), number("COT(x)"), number("ATAN(x)"), number("ATAN2(x, 2)"),
    arithmetic("ASIN(x / 100)"), arithmetic("ACOS(x / 100)"), number("DEGREES(x)"), number("RADIANS(x)"),
    number("SIND(x)", "SIN(RADIANS(x))"), number("COSD(x)", "COS(RADIANS(x))"), number("TAND(x)", "TAN(RADIANS(x))"),
    number("COTD(x)", "COT(RADIANS(x))"), number("ATAND(x)", "DEGREES(ATAN(x))"), number("ATAN2D(x, 2)", "DEGREES(ATAN2(x, 2))"),
    arithmetic("ASIND(x / 100)", "DEGREES(ASIN(x / 100))"), arithmetic("ACOSD(x / 100)", "DEGREES(ACOS(x / 100))"),
    arithmetic("x + 1"), arithmetic("x - 10"), arithmetic("10 - x"), arithmetic("x * 1000"), arithmetic("x / 2"), arithmetic("-x"),
    arithmetic("x % 2"), arithmetic("MOD(x, 2)", "x % 2"), arithmetic("x / 0", "NULL::DOUBLE"),
    arithmetic("x // 2", "TRUNC(x / 2)"), arithmetic("DIV(x, 2)", "TRUNC(x / 2)"), arithmetic("PI() * x"),
    Case("BIT_AND(x, 6)", "n", "x & 6"), Case("BIT_OR(x, 8)", "n", "x | 8"), Case("BIT_XOR(x, 1)", "n", "XOR(x, 1)"),
    Case("BIT_COUNT(x)", "n"), Case("BIT_NOT(x)", "nb", "~x", {"b": [False, True, None]}),
    Case("x AND TRUE", "b"), Case("x OR TRUE", "b"), Case("NOT x", "bn", "NOT CAST(x AS BOOLEAN)"),
    Case("CASE WHEN x THEN 1 ELSE 2 END", "b"), Case("IF(x, 1, 2)", "b"),
    *(Case(f"x IS {truth}", "nfmb", f"x IS NOT DISTINCT FROM {truth}") for truth in ("TRUE", "FALSE")),
    *(Case(f"x IS NOT {truth}", "nfmb", f"x IS DISTINCT FROM {truth}") for truth in ("TRUE", "FALSE")),
    *(of_date(part) for part in ("YEAR", "MONTH", "DAY", "DOW", "ISODOW", "DOY", "WEEK", "ISOYEAR", "QUARTER", "CENTURY",
                                 "DECADE", "MILLENNIUM")),
    *(Case(f"{part}(x)", "ds") for part in ("YEAR", "MONTH", "DAY", "QUARTER", "DAYOFWEEK", "DAYOFYEAR", "DAYOFMONTH")),
    Case("DATE_PART('month', x)", "ds"), Case("STRFTIME(x, '%Y-%m')", "ds"),
    Case("x + INTERVAL '1 month'", "ds", "CAST(CAST(x AS DATE) + INTERVAL '1 month' AS DATE)"),
    Case("x - INTERVAL '3 days'", "ds", "CAST(CAST(x AS DATE) - INTERVAL '3 days' AS DATE)"),
    Case("x > DATE '2000-01-01'", "ds"), Case("x <= as_of", "ds", "x <= DATE '2024-03-01'"),
    Case("EXTRACT(MONTH FROM x) * 100 + EXTRACT(DAY FROM x)", "ds"), Case("TRY_CAST(x AS DATE)", "dst"),
    Case("EXTRACT(HOUR FROM x)", "S"), Case("EXTRACT(MINUTE FROM x)", "S"), Case("EXTRACT(SECOND FROM x)", "S"),
    Case("EXTRACT(EPOCH FROM x)", "S"), Case("DATE_PART('hour', x)", "S"), Case("STRFTIME(x, '%H:%M')", "S"),
    Case("HOUR(x)", "S"), Case("EXTRACT(HOUR FROM x + INTERVAL '7 hours')", "S"),
    text("DATE(x)", "TRY_CAST(x AS DATE)"), text("DATE(x, '%d.%m.%Y')", "NULL::DATE"),
    text("TIMESTAMP(x)", "TRY_CAST(x AS DATE)"), text("STRPTIME(x, '%Y-%m-%d')", "TRY_CAST(x AS DATE)"),
    Case("TIME(x)", ""), Case("TRY_CAST(x AS TIME)", ""), Case("TRY_CAST(x AS BLOB)", ""), Case("TRY_CAST(x AS INTERVAL)", ""),
    Case("x - DATE '2024-01-01'", ""), Case("EXTRACT(TIME FROM x)", ""), Case("EXTRACT(TIMEZONE FROM x)", ""),
    Case("ARRAY_SUM(x)", ""), Case("ARRAY_MEAN(x)", ""), Case("x + '1'", "t", "x || '1'"),
    Case("TRY_CAST(x AS INT)", "tnfmb", "TRUNC(TRY_CAST(x AS DOUBLE))", {"t": [None, None, None]}),
    Case("TRY_CAST(x AS TINYINT)", "tnfmb", "TRUNC(TRY_CAST(x AS DOUBLE))", {"t": [None, None, None]}),
    Case("TRY_CAST(x AS DOUBLE)", "tnfmb"), Case("TRY_CAST(x AS DECIMAL(10, 1))", "tnfmb", "TRY_CAST(x AS DECIMAL(10, 1))", {"f": [2.8, -0.6, None], "m": [20.0, -0.4, None]}),
    Case("TRY_CAST(x AS BOOLEAN)", "tnfmb"),
    Case("ARRAY_LENGTH(x)", "l", "LENGTH(x)"), Case("ARRAY_CONTAINS(x, 'y')", "l", "LIST_CONTAINS(x, 'y')"),
    Case("ARRAY_GET(x, 1)", "l", "x[1]"), Case("x[2]", "l"), Case("ARRAY_TO_STRING(x, '-')", "l"), Case("'x' = ANY(x)", "l", "LIST_CONTAINS(x, 'x')"),
    Case("ARRAY_LOWER(x)", "l", "LIST_MIN(x)"), Case("ARRAY_UPPER(x)", "l", "LIST_MAX(x)"),
    Case("x IS NULL", "tnfmdsbl"), Case("x IS NOT NULL", "tnfmdsbl"), Case("x = x", "tnfmdsbl"),
    Case("x IS DISTINCT FROM x", "tnfmdsbl"), Case("x > 1", "nfmb", "TRY_CAST(x AS DOUBLE) > 1"), Case("x = 'y'", "t"),
    Case("x IN (7, 8)", "nfm"), Case("x IN ('y')", "t"), Case("x IN (DATE '2024-02-29')", "ds", "CAST(x AS DATE) IN (DATE '2024-02-29')"),
    Case("x BETWEEN 1 AND 7", "nfmb", "TRY_CAST(x AS DOUBLE) BETWEEN 1 AND 7"), Case("x BETWEEN 'A' AND 'B'", "t"),
    Case("GREATEST(x, x)", "tnfmdsb"), Case("LEAST(x, x)", "tnfmdsb"), Case("COALESCE(x, x)", "tnfmdsbl"),
    Case("GREATEST(x, 1)", "nfmb", None, {"b": [1, 1, 1], "n": [7, 1, 1], "f": [2.75, 1, 1], "m": [19.95, 1, 1]}),
    Case("NULLIF(x, x)", "tnfmdsbl"), Case("COALESCE(x, 0)", "nfmb", "COALESCE(TRY_CAST(x AS DOUBLE), 0)", {"t": ["Ab.c1", "-12.5", "0"]})._replace(kinds="nfmbt"),
]  # fmt: skip
"""`S` is a timestamp where its time of day can be seen: `derive`. A text is no number: `t` of these has values."""

PLACES = ["customers derive", "events derive", "lookup derive", "trait", "segment"]
FORMATS = ["csv", "parquet"]
FOREIGN = re.compile(
    r"native python|time_unit|dtype|\b[iu](8|16|32|64|128)\b|\bf64\b|Utf8|String|Datetime|Duration|Polars|polars|"
    r"Error|expression|col\(|strict|overflow|series",
)
"""Words that are Polars', not segkit's."""


def column(kind: str) -> str:
    return kind.lower()


def put(desk: Desk, name: str, format: str, more: dict[str, list[Any]]) -> str:
    """A table with the rows, and the columns `more`; lists of a CSV file are texts."""
    if format == "parquet":
        schema: dict[str, Any] = {"t": pl.String, "n": pl.Int32, "f": pl.Float64, "m": pl.Decimal(18, 2), "d": pl.Date,
                  "s": pl.Datetime("ms"), "b": pl.Boolean, "l": pl.List(pl.String)}  # fmt: skip
        frame = pl.DataFrame(ROWS, schema=schema)
    else:
        frame = pl.DataFrame(
            [{k: _field(v) for k, v in row.items()} for row in ROWS], schema=dict.fromkeys(COLUMNS, pl.String)
        )
    desk.put(f"{name}.{format}", pl.DataFrame(more).hstack(frame))
    return f"{name}.{format}"


def _field(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, list) else None if value is None else str(value)


def fits(case: Case, kind: str, place: str, format: str) -> bool:
    if kind == "s" and "S" in case.kinds:
        return "derive" in place
    return kind in case.kinds


def kinds_of(place: str, format: str) -> str:
    """The kinds of column that there are: a CSV file has lists for traits and segments alone."""
    return "".join(COLUMNS) if format == "parquet" or "derive" not in place else "".join(COLUMNS).replace("l", "")


def chosen(place: str, format: str, *, fitting: bool) -> list[tuple[Case, str]]:
    kinds = kinds_of(place, format)
    return [(c, k) for c in CASES for k in kinds if fits(c, k, place, format) is fitting]


def sql_of(case: Case, kind: str) -> str:
    return re.sub(r"\bx\b(?!')", column(kind), case.sql)


def in_duckdb(cases: list[tuple[Case, str]], place: str) -> Iterator[list[Any]]:
    """The values of each case: by DuckDB, which sees a timestamp's day where segkit does."""
    db = duckdb.connect()
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    db.execute(f"CREATE TABLE r (k INTEGER, {columns})")
    db.executemany(
        f"INSERT INTO r VALUES ({', '.join('?' * (len(COLUMNS) + 1))})",
        [[i, *row.values()] for i, row in enumerate(ROWS)],
    )
    for case, kind in cases:
        if case.values and kind in case.values:
            yield case.values[kind]
            continue
        name = "CAST(s AS DATE)" if kind == "s" and "S" not in case.kinds else kind
        expression = re.sub(r"\bx\b(?!')", name, case.duck or case.sql)
        yield [row[0] for row in db.execute(f"SELECT {expression} FROM r ORDER BY k").fetchall()]


def same(found: str, expected: Any) -> bool:
    if expected is None:
        return found == ""
    if isinstance(expected, bool):
        return found == str(expected).lower()
    if isinstance(expected, int | float | Decimal):
        return bool(found) and math.isclose(float(found), float(expected), rel_tol=1e-9, abs_tol=1e-9)
    return found == ("|".join(expected) if isinstance(expected, list) else str(expected))


def lines(cases: list[tuple[Case, str]]) -> str:
    """`derive` with a column for each case, one a line."""
    return "".join(f'derive.x{i} = "{sql_of(case, kind)}"\n' for i, (case, kind) in enumerate(cases))


def rules(desk: Desk, place: str, format: str, cases: list[tuple[Case, str]]) -> str:
    """A rule file with every case at a place; its columns `x0`, `x1`, ... or `y0`, ... are what is found."""
    customers = put(desk, "c", format, {"id": list(KEYS)})
    where = place.split(maxsplit=1)[0]
    lists = 'lists = { l = ";" }\n' if format == "csv" else ""
    text = head(path=customers) + (lists if "derive" not in place else "")
    if where == "customers":
        return text + lines(cases)
    if where == "events":
        events = put(desk, "o", format, {"id": list(KEYS), "day": ["2024-01-01"] * len(KEYS)})
        traits = "".join(f'[trait.y{i}]\nevents = "o"\nmeasure = "first"\nof = "x{i}"\n' for i in range(len(cases)))
        return text + event_table("o", events) + lines(cases) + traits
    if where == "lookup":
        there = put(desk, "l", format, {"key": list(KEYS)})
        columns = [f"x{i}" for i in range(len(cases))]
        return text + f'[lookup.o]\npath = "{there}"\non = {{ id = "key" }}\ncolumns = {columns}\n' + lines(cases)
    if where == "trait":
        return text + "".join(f'[trait.x{i}]\nsql = "{sql_of(*case)}"\n' for i, case in enumerate(cases))
    tests = (f"({sql_of(*case)}) IS NOT NULL" for case in cases)
    return text + "".join(f'[segment.x{i}]\nsql = "{sql}"\n' for i, sql in enumerate(tests))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_the_values_are_right(desk: Desk, place: str, format: str) -> None:
    cases = chosen(place, format, fitting=True)
    text = rules(desk, place, format, cases)
    expected = list(in_duckdb(cases, place))
    wrong: dict[Any, Any]
    if place == "segment":
        rows = desk.rows(text)
        found = [
            [any(r["segment"] == f"x{i}" and r["id"] == key for r in rows) for key in KEYS] for i in range(len(cases))
        ]
        # DuckDB calls an empty text a value, and so does segkit where SQL makes one.
        wrong = {
            sql_of(*case): f
            for case, f, e in zip(cases, found, expected, strict=True)
            if f != [v is not None for v in e]
        }
    else:
        letter = "y" if place.startswith("events") else "x"
        rows_of = desk.columns(text, *(f"{letter}{i}" for i in range(len(cases))))
        found_ = [[rows_of[key][i] for key in KEYS] for i in range(len(cases))]
        wrong = {
            (sql_of(*case), case[1]): (f, e)
            for case, f, e in zip(cases, found_, expected, strict=True)
            if not all(map(same, f, e))
        }
    assert not wrong


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_what_does_not_fit_is_one_clear_error_with_its_place(desk: Desk, place: str, format: str) -> None:
    cases = chosen(place, format, fitting=False)
    text = rules(desk, place, format, cases)
    if place != "segment":
        text += "[segment.all]\neveryone = true\n"
    done = desk.apply(text, code=2)
    messages = done.stderr.strip().split("error: ")[1:]
    told = [int(found[1]) for m in messages if (found := re.search(r"rules\.toml:(\d+):", m))]
    asked = [i for i, line in enumerate(text.splitlines(), 1) if re.match(r"derive\.x|sql = ", line)]
    source = text.splitlines()
    assert [source[i - 1] for i in asked if i not in told] == []
    assert sorted(told) == asked
    foreign = [
        m for m in messages if FOREIGN.search(m.split("\n")[0] + (m.split("hint: ")[1] if "hint: " in m else ""))
    ]
    assert foreign == []


# The table of functions in the reference.

REFERENCE = (ROOT / "docs/rule-file.md").read_text(encoding="utf-8")
SHOWN = re.search(r"<!-- functions: begin -->(.*)<!-- functions: end -->", REFERENCE, re.DOTALL)
EXAMPLE = (
    "id,n,x,code,name,born,bought,active,tags,none\n1,7,2.5,01234,Zoé Martin,2024-02-29,2024-03-01 18:30:05,true,a;b,\n"
)


def examples() -> dict[str, str]:
    """The SQL of the table, with what it says that it gives."""
    assert SHOWN is not None
    found: dict[str, str] = {}
    for line in SHOWN[1].splitlines():
        if line.startswith("| `"):
            sql, gives, _ = (re.findall(r"`([^`]*)`", cell) for cell in re.split(r"(?<!\\)\|", line)[1:4])
            found |= {s.replace("\\|", "|"): g.strip() for s, g in zip(sql, gives, strict=True)}
    return found


def test_the_table_of_functions_is_true(desk: Desk) -> None:
    desk.put("c.csv", EXAMPLE)
    shown = examples()
    names = {sql: f"y{i}" for i, sql in enumerate(shown)}
    derived = "".join(f'derive.{name} = "{sql}"\n' for sql, name in names.items() if "bought" in sql)
    traits = "".join(f'[trait.{name}]\nsql = "{sql}"\n' for sql, name in names.items() if "bought" not in sql)
    more = 'lists = { tags = ";" }\ntypes = { none = "number", code = "text" }\n'
    (found,) = desk.columns(head() + more + derived + traits, *names.values()).values()
    wrong = {sql: (f, shown[sql]) for sql, f in zip(shown, found, strict=True) if f != shown[sql]}
    assert wrong == {}


def test_the_table_has_every_function_that_is_tried_here() -> None:
    """`D` at the end, for degrees, is said of all at once; what is refused is not in it."""
    text = SHOWN[1].upper() if SHOWN else ""
    tried = {name for case in CASES if case.kinds for name in re.findall(r"\b([A-Z][A-Z0-9_]+)\(", case.sql)}
    in_degrees = {name for name in tried if name.endswith("D") and name[:-1] in tried}
    others = {name for name in tried - in_degrees if not re.search(rf"\b{name}\b", text)}
    assert others <= {"CHAR_LENGTH", "DAYOFWEEK", "DAYOFMONTH", "YEAR", "HOUR", "DECIMAL", "AND", "IN"}


# Whole numbers.

PEOPLE = "id,birth,name,n\na,2000-12-25,Al,1\nb,2001-01-01,Bobby,900000000000000000\nc,,,\n"


@pytest.mark.parametrize(
    ("sql", "members"),
    [
        ("EXTRACT(MONTH FROM birth) * 100 + EXTRACT(DAY FROM birth) BETWEEN 1215 AND 1231", ["a"]),
        ("LENGTH(name) - 4 < 0", ["a"]),
        ("STRPOS(name, 'x') - 1 < 0", ["a", "b"]),
        ("BIT_NOT(LENGTH(name)) < 0", ["a", "b"]),
        ("n + 1 > 900000000000000000", ["b"]),
        ("n * 10 - n > 1000", ["b"]),
        ("(n > 0) + (name = 'Al') = 2", ["a"]),
    ],
)
def test_whole_numbers_of_functions_do_not_wrap(desk: Desk, sql: str, members: list[str]) -> None:
    desk.put("c.csv", PEOPLE)
    assert desk.members(head(), {"s": f'sql = "{sql}"'}) == {"s": members}


TOO_LARGE = [
    "n * 20",
    "n + 9000000000000000000",
    "-n * 10 - n",
    "POW(n, 2)",
    "POW(2, n)",
    "POW(-2, 63) - 1",
    "n * n * 0",
]


@pytest.mark.parametrize("sql", TOO_LARGE)
@pytest.mark.parametrize("place", PLACES)
def test_a_number_that_is_too_large_names_its_sql(desk: Desk, place: str, sql: str) -> None:
    desk.put("c.csv", PEOPLE)
    desk.put("o.csv", PEOPLE.replace("id,birth", "id,day"))
    derive = f'derive.fine = "n - 1"\nderive.x = "{sql}"\nderive.more = "x - 1"\n'
    last = '[output]\ncolumns = ["x"]\n[segment.s]\neveryone = true\n'
    text = {
        "customers derive": head() + derive + last,
        "events derive": head()
        + event_table("o", "o.csv")
        + derive
        + '[trait.x]\nevents = "o"\nmeasure = "max"\nof = "more"\n'
        + last,
        "lookup derive": head() + '[lookup.l]\npath = "o.csv"\non = "id"\ncolumns = ["x", "more"]\n' + derive + last,
        "trait": head() + f'[trait.fine]\nsql = "n - 1"\n[trait.x]\nsql = "{sql}"\n' + last,
        "segment": head() + f'[segment.s]\nany = [\n{{ sql = "n > 1" }},\n{{ sql = "{sql} > 1" }},\n]\n',
    }[place]
    line = next(i for i, line in enumerate(text.splitlines(), 1) if sql in line)
    constant = "n" not in sql
    done = desk.apply(text, code=2 if constant else 3)
    assert done.stderr.count("error: ") == 1
    assert "too large" in done.stderr
    assert f"rules.toml:{line}:" in done.stderr


def test_a_sum_beyond_64_bits_is_computed_with(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "id,day,n\n" + "a,2024-01-01,900000000000000000\n" * 12)
    traits = '[trait.n]\nevents = "o"\nmeasure = "sum"\nof = "n"\n[trait.x]\nsql = "n * 2 + 1"\n'
    assert desk.columns(head() + event_table("o", "o.csv") + traits, "x") == {"a": "21600000000000000001"}
    square = traits.replace("n * 2 + 1", "n * n * n")
    done = desk.apply(head() + event_table("o", "o.csv") + square + "[segment.s]\nsql = 'x > 1'\n", code=3)
    assert "too large" in done.stderr
    assert "rules.toml:14:" in done.stderr


# The text of a field.


@pytest.mark.parametrize("also", ["", "needs.postcode.min = 2_000\n"])
def test_a_text_function_sees_the_field(desk: Desk, also: str) -> None:
    """Also where other rules read the column as a number."""
    desk.put("c.csv", "id,postcode\nx,75001\ny, 13002 \nz,20000\n")
    sql = "LEFT(postcode, 2) = '13' AND postcode > 1000"
    assert desk.members(head(), {"s": f'sql = "{sql}"\n{also}'}) == {"s": ["y"]}


def test_leading_zeros_beyond_the_sample_are_kept(desk: Desk) -> None:
    rows = [f"{i},75001,some more text to make it long" for i in range(70_000)]
    rows[20_000] = "20000,01234,here"
    desk.put("c.csv", "id,postcode,more\n" + "\n".join(rows) + "\n")
    assert desk.members(head(), {"s": "sql = \"LEFT(postcode, 2) = '01'\""}) == {"s": ["20000"]}


@pytest.mark.parametrize(
    ("field", "sql", "value"),
    [
        ("1.50", "x || '!'", "1.50!"),
        ('"1,5"', "x || '!'", "1,5!"),
        (" 7 ", "CONCAT('<', x, '>')", "<7>"),
        ("5", "COALESCE(x, 'none')", "5"),
        ("", "COALESCE(x, 'none')", "none"),
        ("5.0", "TRY_CAST(x AS VARCHAR)", "5.0"),
        ("5.0", "LENGTH(x) + x", "8"),
    ],
)
def test_text_of_a_number_is_its_field(desk: Desk, field: str, sql: str, value: str) -> None:
    desk.put("c.csv", f"id,x\na,{field}\nb,2.25\n".replace("2.25", '"2,25"' if '"' in field else "2.25"))
    for rules in (head(f'derive.y = "{sql}"'), head() + f'[trait.y]\nsql = "{sql}"\n'):
        assert desk.columns(rules, "y")["a"] == value


def test_a_looked_up_number_has_the_text_of_its_field(desk: Desk) -> None:
    desk.put("c.csv", "id,k\na,1\nb,2\n")
    desk.put("o.csv", "id,day,k\na,2024-01-01,1\n")
    desk.put("l.csv", "k,v\n1,1.50\n2,2.50\n")
    lookup = '[lookup.{}]\npath = "l.csv"\non = "k"\n'
    trait = '[trait.y]\nsql = "RIGHT(v, 2)"\n'
    assert desk.columns(head() + lookup.format("l") + trait, "y") == {"a": "50", "b": "50"}
    events = event_table("o", "o.csv", 'derive.w = "RIGHT(v, 2)"') + lookup.format("l") + 'into = "o"\n'
    first = '[trait.y]\nevents = "o"\nmeasure = "first"\nof = "w"\n'
    assert desk.columns(head() + events + first, "y") == {"a": "50", "b": ""}
    computed = '[trait.k2]\nevents = "o"\nmeasure = "first"\nof = "k"\n' + lookup.format("l").replace(
        '"k"', '{ k2 = "k" }'
    )
    assert desk.columns(head() + event_table("o", "o.csv") + computed + trait, "y") == {"a": "50", "b": ""}


def test_the_customers_of_events_have_it_too(desk: Desk) -> None:
    desk.put("o.csv", "id,day,n\na,2024-01-01 18:30,1.50\nb,2024-01-01 09:00,2.25\n")
    text = head().replace('path = "c.csv"', 'from = "o"\ncolumns = ["cents", "hour"]')
    derive = 'derive = { cents = "RIGHT(n, 2)", hour = "EXTRACT(HOUR FROM day)" }'
    assert desk.columns(text + event_table("o", "o.csv", derive), "cents", "hour") == {
        "a": ("50", "18"),
        "b": ("25", "9"),
    }


@pytest.mark.parametrize("text", ['[trait.x]\nsql = "1"\n', ""])
def test_the_hint_for_a_computed_number_leads_out(desk: Desk, text: str) -> None:
    """`types` of a source cannot name a column that no file has."""
    desk.put("c.csv", "id\na\n")
    rules = (head() if text else head('derive.x = "1"')) + text
    done = desk.apply(rules + '[segment.s]\ndemographic.x = "1"\n', code=2)
    assert "hint: write it without quotes: 1" in done.stderr
    assert desk.members(rules, {"s": "demographic.x = 1"}) == {"s": ["a"]}
    done = desk.apply(rules + '[segment.s]\ndemographic.x.contains = "1"\n', code=2)
    assert "TRY_CAST(... AS VARCHAR)" in done.stderr


# The time of day.

MOMENTS = [
    ("2024-01-05 18:30:05", "", "18:30:05"),
    ("2024-01-05T18:30", "", "18:30:00"),
    ("2024-01-05 18:30:05.250", "", "18:30:05"),
    ("25.01.2024 18:30", "", "18:30:00"),
    ("1/25/2024 6:30 PM", "", "18:30:00"),
    ("1/25/2024 12:05 AM", "", "00:05:00"),
    ("2024-01-05T18:30:05Z", "", "19:30:05"),
    ("2024-07-05T18:30:05+00:00", "", "20:30:05"),
    ("2024-01-05 23:30:00-0500", "", "05:30:00"),
    ("2024-01-05T18:30+02", "", "17:30:00"),
    ("20240105 1830", 'date_format = "%Y%m%d %H%M"', "18:30:00"),
    ("20240105 1830 +0000", 'date_format = "%Y%m%d %H%M %z"', "19:30:00"),
]


@pytest.mark.parametrize(("field", "given", "time"), MOMENTS, ids=[field for field, *_ in MOMENTS])
@pytest.mark.parametrize("beside", ["", "2024-01-06"])
def test_derive_sees_the_time_of_day(desk: Desk, field: str, given: str, time: str, beside: str) -> None:
    """Also where some values of the column have no time, which is midnight."""
    beside = "" if given or not field.startswith("2024") else beside
    desk.put("c.csv", f"id,at\na,{field}\nb,{beside}\n")
    derive = [f'derive.x{i} = "EXTRACT({part} FROM at)"' for i, part in enumerate(("HOUR", "MINUTE", "SECOND"))]
    text = head(given, *derive, "derive.x3 = \"STRFTIME(at, '%H:%M:%S')\"")
    text = text.replace("version = 1", 'version = 1\ntimezone = "Europe/Paris"')
    found = desk.columns(text, "x0", "x1", "x2", "x3")
    assert found["a"] == (*(str(int(part)) for part in time.split(":")), time)
    assert found["b"] == (("0", "0", "0", "00:00:00") if beside else ("", "", "", ""))


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_a_zoned_timestamp_has_the_epoch_of_its_instant(desk: Desk, zone: str | None) -> None:
    at = dt.datetime(2024, 1, 5, 18, 30, tzinfo=dt.UTC)
    series = pl.Series("at", [at], pl.Datetime("us", "UTC"))
    series = series.dt.convert_time_zone(zone) if zone else series.dt.replace_time_zone(None)
    desk.put("c.parquet", pl.DataFrame({"id": ["a"], "at": series}))
    text = head('derive = { x = "EXTRACT(EPOCH FROM at)", h = "EXTRACT(HOUR FROM at)" }', path="c.parquet")
    text = text.replace("version = 1", 'version = 1\ntimezone = "Europe/Paris"')
    assert desk.columns(text, "x", "h") == {"a": (str(int(at.timestamp())), "19" if zone else "18")}


def test_evening_shoppers(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day\na,2024-02-05 18:30\nb,2024-02-05 09:00\n")
    events = event_table(
        "o", "o.csv", 'derive.hour = "EXTRACT(HOUR FROM day)"', "derive.late = \"day > DATE '2024-02-04'\""
    )
    did = 'behavioural.did = { events = "o", where.hour.min = 18, where.late = true }'
    assert desk.members(head() + events, {"s": did}) == {"s": ["a"]}


@pytest.mark.parametrize("place", PLACES)
def test_days_alone_have_no_time_of_day(desk: Desk, place: str) -> None:
    """An hour 0 of all of them would be an answer to nothing."""
    done = desk.apply(
        rules(desk, place, "csv", [(Case("EXTRACT(HOUR FROM x)", ""), "d")]) + "[segment.all]\neveryone = true\n",
        code=2,
    )
    assert "`HOUR` asks for a time of day, and `d` is a day here" in done.stderr


# Small faults of SQL.


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("GREATEST()", "`GREATEST` needs something to compare"),
        ("COALESCE()", "`COALESCE` needs something to choose from"),
        ("STRFTIME(d, '%Q')", "`%Q` is no layout of a date"),
        ("REGEXP_REPLACE(t, '(', '')", "`(` is not a regular expression: unclosed group"),
        ("d + INTERVAL '5 hours'", "`d` is a day, so an INTERVAL of hours does not move it"),
        ("as_of - d", "a length of time, such as the difference of two dates, is not a number"),
        ("d > '2024-01-01'", "hint: write dates as DATE '2024-03-01'"),
        ("n = '5'", "hint: write numbers without quotes"),
        ("LEFT(n + 1, 1)", "a text function takes text, but what it is given is a number"),
        ("DATE(t, '%H')", "`%H` is no layout of a day"),
        ("STRPTIME(t, '%Q')", "`%Q` is no layout of a day"),
        ("STRPTIME(t, '%Y-%m-%d %z')", "SQL reads no time zones"),
        ("d > TIMESTAMP '2024-01-01 18:00'", "a day is compared with a time of day"),
        ("POW(2, 70)", "the SQL makes a number that is too large"),
        ("LEFT(d, 4)", "STRFTIME(\"d\", '%Y-%m-%d')"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", PLACES)
def test_a_fault_has_its_message(desk: Desk, place: str, sql: str, message: str) -> None:
    text = rules(desk, place, "csv", [(Case(sql, ""), "x")]) + "[segment.all]\neveryone = true\n"
    done = desk.apply(text, code=2)
    assert done.stderr.count("error: ") == 1
    assert message in done.stderr


def test_a_pattern_of_a_row_that_is_none_finds_nothing(desk: Desk) -> None:
    desk.put("c.csv", "id,t,p\na,x(,(\nb,xy,y\n")
    assert desk.members(head(), {"s": 'sql = "REGEXP_LIKE(t, p)"'}) == {"s": ["b"]}


def test_lengths_and_places_of_a_row_may_be_anything(desk: Desk) -> None:
    desk.put("c.csv", "id,t,n\na,abc,2\nb,abc,-1\nc,abc,\n")
    assert desk.columns(head('derive.x = "SUBSTR(t, 2, n)"', 'derive.y = "LPAD(t, n, \'0\')"'), "x", "y") == {
        "a": ("bc", "ab"), "b": ("", ""), "c": ("", ""),
    }  # fmt: skip


def test_a_column_that_is_mostly_numbers_is_text_for_text_functions_alone(desk: Desk) -> None:
    """Beside a rule that reads numbers, its values have to be some."""
    desk.put("c.csv", "id,code\n" + "".join(f"{i},{i}\n" for i in range(100, 130)) + "x,A12\n")
    assert desk.members(head(), {"s": "sql = \"LEFT(code, 1) = 'A' AND code IS NOT NULL\""}) == {"s": ["x"]}
    assert desk.members(head(), {"s": "sql = \"code = 'A12'\""}) == {"s": ["x"]}
    done = desk.apply(head() + "[segment.s]\nsql = \"LEFT(code, 1) = 'A' AND code > 1\"\n", code=3)
    assert "`A12`" in done.stderr
    missing = head('bad_values = "missing"') + "[segment.s]\nsql = \"LEFT(code, 2) = '12' AND code > 127\"\n"
    assert [row["id"] for row in desk.rows(missing)] == ["128", "129"]


def test_a_derived_column_of_computed_ones_sees_the_field(desk: Desk) -> None:
    desk.put("c.csv", "id,n\na,1.50\nb,2.25\n")
    text = head('derive.x = "RIGHT(n, 2) || y"') + '[trait.y]\nsql = "n * 2"\n'
    assert desk.columns(text, "x") == {"a": "503.0", "b": "254.5"}


def test_a_number_that_only_fits_the_rows_of_the_file(desk: Desk) -> None:
    desk.put("c.csv", "id,n\na,7\nb,5\n")
    assert desk.columns(head('derive.x = "POW(2, n - 5)"'), "x") == {"a": "4", "b": "1"}


@pytest.mark.parametrize("rows", [1, 7])
def test_a_division_is_the_nearest_number_whatever_the_number_of_rows(desk: Desk, rows: int) -> None:
    """Polars multiplies a column by 1 / 10, which is not the same."""
    values = [7, 12, 6, 3, 33, 49, 99][:rows]
    desk.put("c.csv", "id,n,x\n" + "".join(f"{i},{n},{n / 100}\n" for i, n in enumerate(values)))
    derive = head('derive.tenth = "n / 10"', 'derive.third = "x / 3.0"')
    found = desk.columns(derive, "tenth", "third")
    assert [(float(a), float(b)) for a, b in found.values()] == [(n / 10, n / 100 / 3.0) for n in values]


def test_constants_stand_beside_each_other(desk: Desk) -> None:
    desk.put("c.csv", "id,n\na,7\n")
    found = desk.columns(head('derive.a = "0.5"', 'derive.b = "7/2"', 'derive.c = "n / 4"'), "a", "b", "c")
    assert found == {"a": ("0.5", "3.5", "1.75")}


@pytest.mark.parametrize("call", ["DATEDIFF('day', d, d)", "DATE_TRUNC('month', d)", "t SIMILAR TO 'a%'", "LEN(t)"])
def test_what_segkit_does_not_have_leads_to_the_list_of_functions(desk: Desk, call: str) -> None:
    desk.put("c.csv", "id,d,t\na,2024-01-01,x\n")
    told = desk.apply(head(f'derive.x = "{call}"') + "[segment.s]\nsql = \"x = 'a'\"\n", code=2).stderr
    assert "lists the functions" in told
    assert "Span(" not in told


def test_halves(desk: Desk) -> None:
    """Of numbers to the even digit, of money away from zero."""
    desk.put("c.csv", "id,x\n1,2.5\n2,3.5\n")
    desk.put("o.csv", "id,day,amount\n1,2024-01-01,2.5\n2,2024-01-01,3.5\n")
    text = head() + '[events.o]\npath = "o.csv"\ntime = "day"\namount = "amount"\n'
    text += '[trait.m]\nevents = "o"\nmeasure = "sum"\n[trait.of_x]\nsql = "ROUND(x)"\n[trait.of_m]\nsql = "ROUND(m)"\n'
    text += '[trait.here]\nsql = "ROUND(2.5) + ROUND(3.5)"\n'
    assert desk.columns(text, "of_x", "of_m", "here") == {"1": ("2", "3", "6"), "2": ("4", "4", "6")}


def test_days_before_as_of(desk: Desk) -> None:
    desk.put("c.csv", "id,d\na,2024-02-10\nb,2010-01-01\n")
    found = desk.members(
        head(),
        {
            "minus": "sql = \"d > as_of - INTERVAL '30 days'\"",
            "between": "sql = \"d BETWEEN as_of - INTERVAL '2 months' AND as_of\"",
            "plus": "sql = \"d + INTERVAL '30 days' > as_of\"",
            "years": "sql = \"d <= as_of - INTERVAL '10 years'\"",
        },
    )
    assert found == {"minus": ["a"], "between": ["a"], "plus": ["a"], "years": ["b"]}
