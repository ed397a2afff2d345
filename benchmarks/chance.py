"""`python -m benchmarks chance FILE AMOUNT`: how often the tests of `segkit evaluate` see what is not there.

Customers of a file are drawn again and again into those held out and those written, between whom there is no
difference. Of 100 draws, 2.5 may say that those written spent more, and 2.5 less. `Pooled` is what segkit does: the
variance of both arms together; `Welch` takes that of each arm, as tools for tests of web pages do.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from segkit.inference.arms import Shares, Values, difference_of_means, difference_of_shares
from segkit.inference.quantiles import t_tails

LEVEL, CHANCE = 0.95, 0.05


def spent(path: Path, amount: str, key: str | None) -> Any:
    """What each customer spent, as an array: a row each, or the sum of the rows of a key."""
    import polars as pl

    money = pl.sql_expr(amount).cast(pl.Float64).alias("spent")
    rows = pl.read_csv(path, infer_schema_length=100_000, encoding="utf8-lossy", null_values=["NA"]).lazy()
    rows = rows.select(money, *([pl.col(key)] if key else []))
    if key:
        rows = rows.drop_nulls(key).group_by(key, maintain_order=True).agg(pl.col("spent").sum())
    return rows.select("spent").collect()["spent"].fill_null(0).to_numpy()


def values_of(of: Any) -> Values:
    return Values(len(of), Decimal(f"{of.sum():.4f}"), float(((of - of.mean()) ** 2).sum()))


def pooled(written: Any, held: Any) -> tuple[float, float]:
    """The difference, and the chance of it."""
    found = difference_of_means(values_of(written), values_of(held), LEVEL)
    return found.difference, 1.0 if found.p is None else found.p


def welch(written: Any, held: Any) -> tuple[float, float]:
    first, second = written.var(ddof=1) / len(written), held.var(ddof=1) / len(held)
    difference, error = written.mean() - held.mean(), math.sqrt(first + second)
    if not error:
        return difference, 1.0
    freedom = (first + second) ** 2 / (first**2 / (len(written) - 1) + second**2 / (len(held) - 1))
    return difference, t_tails(difference / error, max(1, round(freedom)))


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each size of the holdout."""
    import numpy as np

    parser = argparse.ArgumentParser(prog="python -m benchmarks chance", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("amount", help="what was spent: a column, or an expression of SQL")
    parser.add_argument("--key", help="the column of the customer, where he has several rows")
    parser.add_argument("--customers", type=int, default=10_000, help="how many of them are in each draw")
    parser.add_argument("--held-out", type=int, nargs="+", default=[100, 500, 1_000, 5_000])
    parser.add_argument("--draws", type=int, default=2_000)
    args = parser.parse_args(arguments)
    everybody, dice = spent(args.file, args.amount, args.key), np.random.default_rng(1)
    size = min(args.customers, len(everybody))
    print(
        f"{size:,} customers of {len(everybody):,}, {100 * (everybody > 0).mean():.1f} % buyers, {args.draws:,} draws\n"
    )
    print("| Held out | Pooled: more | less | Welch: more | less | Conversion in interval |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    tests: dict[str, Callable[[Any, Any], tuple[float, float]]] = {"pooled": pooled, "welch": welch}
    for held_out in args.held_out:
        seen: Counter[str] = Counter()
        for _ in range(args.draws):
            drawn = dice.choice(everybody, size, replace=False)
            held, written = drawn[:held_out], drawn[held_out:]
            for name, test in tests.items():
                difference, p = test(written, held)
                seen[f"{name} {'more' if difference > 0 else 'less'}"] += p < CHANCE
            one, other = (Shares(int((arm > 0).sum()), len(arm)) for arm in (written, held))
            found = difference_of_shares(one, other, LEVEL)
            seen["covered"] += found.low is None or found.high is None or found.low <= 0 <= found.high
        shares = [
            100 * seen[what] / args.draws
            for what in ("pooled more", "pooled less", "welch more", "welch less", "covered")
        ]
        print(f"| {held_out:,} | " + " | ".join(f"{share:.1f} %" for share in shares) + " |", flush=True)
    return 0
