"""The job `gates` in Polars, as one writes it without measuring: DATA FORMAT OUT.

The features and who may be written are one lazy plan; then the draws, limits and claims of `polars_tuned`.
"""

import sys
from pathlib import Path

import polars as pl

from benchmarks.jobs.gates.polars_tuned import marks, sent, unsubscribed, write
from benchmarks.jobs.segments.polars_one_plan import score
from benchmarks.jobs.segments.polars_tuned import CUSTOMERS, ORDERS, per_customer, scan


def main(data: Path, form: str, out: Path) -> None:
    orders: pl.LazyFrame = scan(data, "orders", form, ORDERS)
    table = (
        scan(data, "customers", form, CUSTOMERS)
        .join(per_customer(orders), on="customer_id", how="left", maintain_order="left")
        .join(sent(data, form), on="customer_id", how="left", maintain_order="left")
        .with_columns(r=score("last"), f=score("frequency"), m=score("monetary"))
        .with_columns(expr.alias(name) for name, expr in marks(unsubscribed(data).collect()).items())
        .collect(engine="streaming")
    )
    write(table, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
