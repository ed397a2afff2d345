"""The job `gates` in Polars, as one writes it without measuring: `python plain_gates_polars_job.py DATA FORMAT OUT`.

The features and who may be written are one lazy plan; then the draws, limits and claims of `gates_polars_job.py`.
"""

import sys
from pathlib import Path

import polars as pl
from gates_polars_job import (  # type: ignore[import-not-found]  # the scripts beside this one
    CUSTOMERS,
    ORDERS,
    marks,
    scan,
    sent,
    unsubscribed,
    write,
)
from plain_polars_job import score  # type: ignore[import-not-found]
from polars_job import per_customer  # type: ignore[import-not-found]


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
