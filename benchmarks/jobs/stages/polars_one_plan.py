"""The job `stages` in Polars, as one writes it without measuring: DATA FORMAT OUT.

One lazy plan, collected together with the eight files, and a join for each of the two lookups; `polars_tuned`
collects the features first, joins only keys, and asks for the products of a line instead of joining them to each order.
"""

import sys
from pathlib import Path

import polars as pl

from benchmarks.jobs.segments.polars_tuned import ORDERS, scan, write
from benchmarks.jobs.stages.polars_tuned import COLUMNS, HERE, label, memberships, people, per_customer


def main(data: Path, form: str, out: Path) -> None:
    products = pl.scan_csv(HERE / "products.csv")
    orders: pl.LazyFrame = scan(data, "orders", form, ORDERS).join(products, on="product", how="left")
    premium = pl.col("line") == "premium"
    table = people(data, form).join(per_customer(orders, premium), on="customer_id", how="left", maintain_order="left")
    write(label(table), list(memberships()), COLUMNS, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
