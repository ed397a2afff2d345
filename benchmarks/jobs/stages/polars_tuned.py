"""The job `stages` in Polars, as an expert writes it by hand: DATA FORMAT OUT.

One group_by makes every feature, joined to the customers by key alone; stage, score and grade are expressions on the
row; then one `collect_all` labels, counts and writes the eight files.
"""

import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.jobs.segments.polars_tuned import AS_OF, CUSTOMERS, ORDERS, scan, write

HERE = Path(__file__).parent
YEAR_AGO = date(2024, 7, 1)
GRADES = {"A": 60, "B": 40, "C": 20, "D": 0}
COLUMNS = ["age", "country", "region", "email", "lifecycle", "engagement_score", "engagement_grade"]
col = pl.col


def is_premium() -> pl.Expr:
    """Whether an order is of a premium product; a join of all orders with the products would say the same."""
    products = pl.read_csv(HERE / "products.csv")
    return col("product").is_in(products.filter(col("line") == "premium")["product"].implode())


def per_customer(orders: pl.LazyFrame, premium: pl.Expr) -> pl.LazyFrame:
    """What the orders tell of each customer; `premium` is a condition on a row of `orders`."""
    day, amount = col("order_date"), col("amount")
    last_year = day >= YEAR_AGO
    return (
        orders.filter(day <= AS_OF)
        .group_by("customer_id")
        .agg(
            first=day.min(),
            last=day.max(),
            orders=pl.len(),
            spent_1y=pl.when(last_year).then(amount).sum(),
            premium_1y=(last_year & premium).sum(),
            recent=(day >= AS_OF - timedelta(days=30)).any(),
            drill_1y=(last_year & (col("product") == "drill")).any(),
        )
    )


def features(customers: pl.LazyFrame, orders: pl.LazyFrame) -> pl.DataFrame:
    """The customers with what their orders tell, in the file's order; no orders is null."""
    left, right = pl.collect_all([customers, per_customer(orders, is_premium())], engine="streaming")
    found = left.select("customer_id").join(right, on="customer_id", how="left", maintain_order="left")
    return left.hstack(found.drop("customer_id"))


def stage() -> pl.Expr:
    first, last = ((pl.lit(AS_OF) - col(name)).dt.total_days() for name in ("first", "last"))
    return (
        pl.when(col("orders").is_null()).then(pl.lit("prospect"))
        .when(first <= 30).then(pl.lit("new"))
        .when((last <= 90) & (col("orders") >= 4)).then(pl.lit("loyal"))
        .when(last <= 90).then(pl.lit("active"))
        .when(last <= 180).then(pl.lit("at_risk"))
        .when(last <= 365).then(pl.lit("inactive"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip


def score() -> pl.Expr:
    points = [
        (col("email_opt_in"), 10),
        (col("age").is_between(30, 50), 5),
        (col("income") >= 50_000, 10),
        (col("region") == "west", 5),
        (col("lifecycle").is_in(["new", "loyal"]), 20),
        (col("lifecycle").is_in(["at_risk", "inactive"]), -10),
        (col("recent"), 15),
        (col("drill_1y"), 5),
        (col("spent_1y") >= Decimal(500), 15),
    ]
    given = [pl.when(holds).then(number).otherwise(0) for holds, number in points]
    per_order = (col("premium_1y").cast(pl.Int64).fill_null(0) * 2).clip(upper_bound=20)
    return pl.sum_horizontal(*given, per_order).clip(0, 100)


def grade() -> pl.Expr:
    return pl.coalesce(pl.when(col("engagement_score") >= least).then(pl.lit(name)) for name, least in GRADES.items())


def memberships() -> dict[str, pl.Expr]:
    stage, grade, region = col("lifecycle"), col("engagement_grade"), col("region")
    return {
        "hot": grade == "A",
        "warm-in-the-west": (grade == "B") & (region == "west"),
        "new": stage == "new",
        "loyal": stage == "loyal",
        "slipping-away": stage.is_in(["at_risk", "inactive"]) & (col("engagement_score") >= 20),
        "lost-but-affluent": (stage == "lost") & (col("income") >= 60_000),
        "prospects-who-agreed": (stage == "prospect") & col("email_opt_in"),
        "premium-in-the-south": (region == "south") & (col("premium_1y") >= 2),
    }


def people(data: Path, form: str) -> pl.LazyFrame:
    """The customers with the region of their country."""
    countries = pl.scan_csv(HERE / "countries.csv")
    customers: pl.LazyFrame = scan(data, "customers", form, CUSTOMERS)
    return customers.join(countries, on="country", how="left", maintain_order="left")


def label(table: pl.LazyFrame) -> pl.LazyFrame:
    """Stage, score, grade, and who is in which segment."""
    return (
        table.with_columns(lifecycle=stage())
        .with_columns(engagement_score=score())
        .with_columns(engagement_grade=grade())
        .with_columns(expr.alias(name) for name, expr in memberships().items())
    )


def main(data: Path, form: str, out: Path) -> None:
    table = features(people(data, form), scan(data, "orders", form, ORDERS))
    write(label(table.lazy()), list(memberships()), COLUMNS, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
