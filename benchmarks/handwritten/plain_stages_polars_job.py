"""The job `stages` in Polars, as one writes it without measuring: `python plain_stages_polars_job.py DATA FORMAT OUT`.

One lazy plan, collected together with the eight files; `stages_polars_job.py` collects the features first, and joins
only keys.
"""

import sys
from pathlib import Path

from stages_polars_job import (  # type: ignore[import-not-found]  # the script beside this one
    COLUMNS,
    ORDERS,
    label,
    memberships,
    people,
    per_customer,
    scan,
    write,
)


def main(data: Path, form: str, out: Path) -> None:
    orders = scan(data, "orders", form, ORDERS)
    table = people(data, form).join(per_customer(orders), on="customer_id", how="left", maintain_order="left")
    write(label(table), list(memberships()), COLUMNS, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
