"""`python -m benchmarks.audit`: how long `segkit audit` looks at a file of customers, and with how much memory.

The file is made once: 30 columns, of which some have gaps, addresses that are none, words that stand for nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import run

MAKE = """
import sys
from pathlib import Path
from benchmarks.audit import make
make(Path(sys.argv[1]), int(sys.argv[2]))
"""


def make(path: Path, rows: int) -> None:
    """Write the file; in a process of its own, since Polars takes memory that the measured one would seem to take."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    number = pl.Series(np.arange(rows))
    first, last = rng.integers(0, 400, rows), rng.integers(0, 5_000, rows)

    def some(values: pl.Series, share: float) -> pl.Series:
        return pl.select(pl.when(pl.Series(rng.random(rows) < share)).then(values)).to_series()

    def days(start: str, span: int) -> pl.Series:
        begin = pl.Series([start]).str.to_date()[0]
        return pl.select(pl.lit(begin) + pl.duration(days=pl.lit(pl.Series(rng.integers(0, span, rows))))).to_series()

    def one_of(*words: str) -> pl.Series:
        return pl.Series(words).gather(pl.Series(rng.integers(0, len(words), rows)))

    unique = pl.Series(rng.integers(0, rows * 20, rows)).cast(pl.String)
    e_mails = (
        "anna."
        + unique
        + pl.Series(np.where(rng.random(rows) < 0.01, "@@", "@"))
        + "mail"
        + pl.Series(rng.integers(0, 300, rows)).cast(pl.String)
        + ".example"
    )
    frame = pl.DataFrame(
        {
            "customer_id": "C" + number.cast(pl.String).str.zfill(8),
            "first_name": "Anna" + pl.Series(first).cast(pl.String),
            "last_name": "Meyer" + pl.Series(last).cast(pl.String),
            "email": some(e_mails, 0.97),
            "phone": some("+33 6 " + pl.Series(rng.integers(10_000_000, 99_999_999, rows)).cast(pl.String), 0.8),
            "birth_date": some(days("1940-01-01", 25_000), 0.7),
            "gender": one_of("f", "m", "NA"),
            "marital_status": one_of("single", "married", "widowed"),
            "postcode": pl.Series(rng.integers(1_000, 99_999, rows)).cast(pl.String).str.zfill(5),
            "city": "City " + pl.Series(rng.integers(0, 6_000, rows)).cast(pl.String),
            "country": one_of("FR", "DE", "ES", "IT"),
            "email_opt_in": one_of("yes", "yes", "no"),
            "sms_opt_in": one_of("yes", "no"),
            "last_seen": days("2018-01-01", 3_000),
            "created": days("2015-01-01", 4_000),
            "updated_at": (days("2020-01-01", 2_000).cast(pl.String) + " 12:30:00"),
            "income": some(pl.Series(rng.normal(40_000, 9_000, rows).round(2)), 0.9),
            "revenue": pl.Series(rng.gamma(2, 80, rows).round(2)),
            "orders": pl.Series(rng.poisson(4, rows)),
            "visits": pl.Series(rng.poisson(20, rows)),
            "returns": pl.Series(rng.poisson(0.3, rows)),
            "points": pl.Series(rng.integers(0, 90_000, rows)),
            "discount": pl.Series(rng.random(rows).round(4)),
            "channel": one_of("web", "shop", "phone"),
            "plan": one_of("basic", "plus", "Select"),
            "source": one_of("ad", "friend", "search", "none"),
            "segment": one_of("a", "b", "c", "d"),
            "note": some("note " + unique, 0.3),
            "version": one_of("1"),
            "active": one_of("true", "false"),
        }
    )
    frame.write_csv(path)


def main() -> int:
    """Print one row: time, processor time and memory of the command, medians over some runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "segkit-benchmark-audit")
    args = parser.parse_args()
    path = args.data / f"customers-{args.rows}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", MAKE, str(path), str(args.rows)], check=True)
    command = [sys.executable, "-m", "segkit", "audit", str(path), "--as-of", "2026-06-30"]
    found = [run(command, dict(os.environ)) for _ in range(args.runs)]
    seconds, cpu, peak = (median(getattr(one, what) for one in found) for what in ("seconds", "cpu_seconds", "peak_mb"))
    print(f"{args.rows:,} rows, 30 columns, {path.stat().st_size / 1e6:,.0f} MB; medians of {args.runs}\n")
    print("| Time, s | CPU, s | peak, MB |\n| ---: | ---: | ---: |")
    print(f"| {seconds:.1f} | {cpu:.1f} | {peak:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
