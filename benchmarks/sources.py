"""`python -m benchmarks.sources`: reading orders from a database or a workbook, beside the same library by hand.

Each reads 1,000,000 rows of 7 columns, adds up the money of each customer, and writes those with the most: segkit by a
rule file, the script by hand with the driver that segkit uses, into Polars. PostgreSQL is that of the address in
`SEGKIT_TEST_POSTGRES`; without it, it is left out.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.__main__ import compile_segkit
from benchmarks.measure import Measurement, run

POSTGRES = "SEGKIT_TEST_POSTGRES"
TABLE = "segkit_benchmark_orders"
COLUMNS = "order_id, customer_id, at, day, amount, paid, pieces"
OF_SQLITE = ("text", "text", "text", "text", "numeric", "int", "int")
OF_POSTGRESQL = ("text", "text", "timestamp", "date", "numeric(12, 2)", "boolean", "int")
OF_ARROW = ("text", "text", "timestamp", "date", "text", "boolean", "bigint")
"""The types of the columns, and those in which rows come from Arrow."""
RULES = """version = 1
as_of = 2025-07-01
[customers]
from = "orders"
key = "customer_id"
[events.orders]
path = "{path}"
{lines}
time = "day"
amount = "amount"
id = "order_id"
types = {{ order_id = "text" }}
[trait.spent]
events = "orders"
measure = "sum"
[output]
columns = ["spent"]
[segment.best]
behavioural.spent.min = 1500
"""
BY_HAND = {
    "postgresql": """
import adbc_driver_postgresql.dbapi as driver
with driver.connect({place!r}) as connection, connection.cursor() as cursor:
    cursor.execute("select order_id, customer_id, at, day, amount::text as amount, paid, pieces from {table}")
    orders = pl.DataFrame(cursor.fetch_arrow())
""",
    "sqlite": """
import sqlite3
orders = pl.read_database("select {columns} from {table}", sqlite3.connect({place!r}), infer_schema_length=None)
""",
    "excel": """
import fastexcel
orders = fastexcel.read_excel({place!r}).load_sheet(0, schema_sample_rows=None).to_polars()
""",
}
"""Kind of source -> how its rows are read by hand."""
REST = """
amount = pl.col("amount").cast(pl.String).cast(pl.Decimal(38, 10))
best = orders.group_by("customer_id").agg(amount.sum().alias("spent")).filter(pl.col("spent") >= 1500)
best.sort("customer_id").write_csv({out!r})
"""


def typed(types: tuple[str, ...]) -> str:
    """The columns of a new table."""
    return ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS.split(", "), types, strict=True))


def make(data: Path, rows: int) -> None:
    """The orders as Parquet, in SQLite, in a workbook, and in PostgreSQL where there is one; once."""
    import polars as pl
    import xlsxwriter

    parquet = data / "orders.parquet"
    if not parquet.exists():
        number = pl.int_range(rows)
        day = pl.date(2024, 1, 1) + pl.duration(days=number * 7 % 540)
        frame = pl.select(
            pl.format("A{}", number).alias("order_id"),
            pl.format("C{}", number * 7919 % (rows // 10 or 1)).alias("customer_id"),
            (day.cast(pl.Datetime("us")) + pl.duration(minutes=number * 13 % 1440)).alias("at"),
            day.alias("day"),
            ((number * 31 % 30_000).cast(pl.Decimal(12, 2)) / 100).cast(pl.Decimal(12, 2)).alias("amount"),
            (number % 3 > 0).alias("paid"),
            (number % 9).alias("pieces"),
        )
        frame.write_parquet(parquet)
    frame = pl.read_parquet(parquet)
    if not (data / "orders.db").exists():
        plain = frame.with_columns(
            pl.col("at").dt.to_string("%Y-%m-%d %H:%M:%S"), pl.col("day", "amount").cast(pl.String)
        )
        with sqlite3.connect(data / "orders.db") as connection:
            connection.execute(f"create table {TABLE} ({typed(OF_SQLITE)})")
            connection.executemany(f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?)", plain.iter_rows())
    if not (data / "orders.xlsx").exists():
        with xlsxwriter.Workbook(data / "orders.xlsx", {"constant_memory": True}) as book:
            formats = {
                name: book.add_format({"num_format": layout})
                for name, layout in (("at", "yyyy-mm-dd hh:mm"), ("day", "yyyy-mm-dd"))
            }
            sheet = book.add_worksheet("orders")
            sheet.write_row(0, 0, frame.columns)
            for place, row in enumerate(frame.iter_rows(), 1):
                sheet.write_row(place, 0, row[:2])
                sheet.write_datetime(place, 2, row[2], formats["at"])
                sheet.write_datetime(place, 3, row[3], formats["day"])
                sheet.write_row(place, 4, (float(row[4]), *row[5:]))
    if POSTGRES in os.environ:
        import adbc_driver_postgresql.dbapi as driver

        with driver.connect(os.environ[POSTGRES]) as connection, connection.cursor() as cursor:
            cursor.execute(f"drop table if exists {TABLE}")
            cursor.execute(f"create table {TABLE} ({typed(OF_POSTGRESQL)})")
            cursor.execute(f"create temporary table raw ({typed(OF_ARROW)})")
            raw = frame.with_columns(pl.col("amount").cast(pl.String))
            cursor.adbc_ingest("raw", raw, mode="append", temporary=True)
            cursor.execute(
                f"insert into {TABLE} select order_id, customer_id, at, day, amount::numeric, paid, pieces from raw"
            )
            connection.commit()


def sources(data: Path) -> dict[str, tuple[str, str, str]]:
    """Kind -> the path and the lines of its section, and what the script by hand opens."""
    table = f'table = "{TABLE}"'
    found = {
        "sqlite": (f"sqlite:{data / 'orders.db'}", table, str(data / "orders.db")),
        "excel": (str(data / "orders.xlsx"), "", str(data / "orders.xlsx")),
    }
    if POSTGRES in os.environ:
        found = {"postgresql": (f"${{{POSTGRES}}}", table, os.environ[POSTGRES])} | found
    return found


def measured(data: Path, runs: int) -> dict[str, dict[str, list[Measurement]]]:
    """Kind -> tool -> its runs, in turn, after one that warms up; both must find the same customers."""
    found: dict[str, dict[str, list[Measurement]]] = {}
    for kind, (path, lines, place) in sources(data).items():
        with tempfile.TemporaryDirectory(dir=data) as folder:
            out, rules = Path(folder), Path(folder) / "rules.toml"
            rules.write_text(RULES.format(path=path, lines=lines))
            script = "import polars as pl" + BY_HAND[kind] + REST
            script = script.format(place=place, table=TABLE, columns=COLUMNS, out=str(out / "by-hand.csv"))
            commands = {
                "segkit": [sys.executable, "-m", "segkit", "apply", str(rules), "-o", str(out / "lists"), "-q"],
                "by hand": [sys.executable, "-c", script],
            }
            found[kind] = {tool: [] for tool in commands}
            for turn in range(runs + 1):
                for tool, command in commands.items():
                    one = run(command, dict(os.environ))
                    found[kind][tool] += [one] if turn else []
            ours, theirs = ((out / name).read_text().count("\n") for name in ("lists/best.csv", "by-hand.csv"))
            if ours != theirs:
                sys.exit(f"{kind}: segkit finds {ours - 1:,} customers, the script {theirs - 1:,}")
    return found


def main() -> int:
    """Print a row for each kind of source and tool."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="measured runs, after one warm-up")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "segkit-sources")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    if args.make:
        make(args.data, args.rows)
        return 0
    command = [sys.executable, "-m", "benchmarks.sources", "--make", "--rows", str(args.rows), "--data", str(args.data)]
    subprocess.run(command, check=True)
    compile_segkit()
    print(f"{args.rows:,} rows of 7 columns; medians of {args.runs}\n")
    print("| Source | Tool | Time, s | ratio | CPU, s | peak, MB |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for kind, tools in measured(args.data, args.runs).items():
        base = median(one.seconds for one in tools["by hand"])
        for tool, runs in tools.items():
            seconds, cpu, peak = (
                median(values) for values in zip(*((r.seconds, r.cpu_seconds, r.peak_mb) for r in runs), strict=True)
            )
            print(f"| {kind} | {tool} | {seconds:.2f} | {seconds / base:.2f} | {cpu:.2f} | {peak:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
