"""The benchmark's job in Polars, as one writes it without measuring: DATA FORMAT OUT.

One lazy plan: features, joined to the customers, cut, labelled, and collected together with the eight files. What
`polars_tuned` does otherwise (features collected first, only keys joined, columns sorted outside the plan) is what
measuring it taught.
"""

import sys
from pathlib import Path

import polars as pl

from benchmarks.jobs.segments.polars_tuned import (
    BINS,
    CUSTOMERS,
    ORDERS,
    memberships,
    per_customer,
    scan,
    write,
)


def score(name: str) -> pl.Expr:
    """Score k + 1 is for values over the ceil(k N / 5)-th smallest: equal values share the lowest rank."""
    values = pl.col(name)
    ranked, known = values.sort(nulls_last=True), values.count()
    cuts = [ranked.get((known * k + BINS - 1) // BINS - 1) for k in range(1, BINS)]
    return pl.sum_horizontal(pl.lit(1, pl.Int32), *((values > cut).cast(pl.Int32) for cut in cuts))


def main(data: Path, form: str, out: Path) -> None:
    customers, orders = scan(data, "customers", form, CUSTOMERS), scan(data, "orders", form, ORDERS)
    labelled = (
        customers.join(per_customer(orders), on="customer_id", how="left", maintain_order="left")
        .with_columns(r=score("last"), f=score("frequency"), m=score("monetary"))
        .with_columns(expr.alias(name) for name, expr in memberships().items())
    )
    write(labelled, list(memberships()), list(CUSTOMERS)[1:], out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
