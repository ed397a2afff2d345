"""The benchmark's job in DuckDB: DATA FORMAT OUT."""

import json
import sys
from pathlib import Path

import duckdb

CUSTOMERS = {
    "customer_id": "VARCHAR",
    "age": "SMALLINT",
    "gender": "VARCHAR",
    "country": "VARCHAR",
    "income": "INTEGER",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
    "signed_up": "DATE",
    "email": "VARCHAR",
    "email_opt_in": "BOOLEAN",
}
ORDERS = {
    "order_date": "DATE",
    "customer_id": "VARCHAR",
    "product": "VARCHAR",
    "category": "VARCHAR",
    "quantity": "SMALLINT",
    "amount": "DECIMAL(18, 2)",
}


def main(data: Path, form: str, out: Path) -> None:
    database = duckdb.connect()
    for name, columns in (("customers", CUSTOMERS), ("orders", ORDERS)):
        path = data / f"{name}.{form}"
        reader = f"read_csv('{path}', header = true, columns = {columns})" if form == "csv" else f"'{path}'"
        database.execute(f"CREATE VIEW {name}_file AS FROM {reader}")
    database.execute(f"SET VARIABLE out = '{out}'")
    counts = database.execute(Path(__file__).with_suffix(".sql").read_text())
    names = [column[0] for column in counts.description]
    print(json.dumps(dict(zip(names, counts.fetchall()[0], strict=True))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
