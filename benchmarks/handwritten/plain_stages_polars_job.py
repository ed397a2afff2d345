"""The job `stages` in Polars, as one writes it without measuring: `python plain_stages_polars_job.py DATA FORMAT OUT`.

One lazy plan, collected together with the eight files, and a join for each of the two lookups; `stages_polars_job.py`
collects the features first, joins only keys, and asks for the products of a line instead of joining them to each order.
"""

import sys
from pathlib import Path

import polars as pl
from stages_polars_job import (  # type: ignore[import-not-found]  # the script beside this one
    COLUMNS,
    HERE,
    ORDERS,
    label,
    memberships,
    people,
    per_customer,
    scan,
    write,
)


def main(data: Path, form: str, out: Path) -> None:
    products = pl.scan_csv(HERE / "products.csv")
    orders: pl.LazyFrame = scan(data, "orders", form, ORDERS).join(products, on="product", how="left")
    premium = pl.col("line") == "premium"
    table = people(data, form).join(per_customer(orders, premium), on="customer_id", how="left", maintain_order="left")
    write(label(table), list(memberships()), COLUMNS, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
