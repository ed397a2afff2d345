"""What is bought together, counted in DuckDB: every set of two, three or four items, one join after the other."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import duckdb


class Line(NamedTuple):
    """A row of events: whose, of which order, and what was bought."""

    key: str | None
    id: str | None
    item: str | None


class Asked(NamedTuple):
    """What a rule needs; shares in percent, as text."""

    support: str = "1"
    confidence: str = "25"
    lift: str = "1"
    length: int = 3
    baskets: int | None = None


def rules(lines: Iterable[Line], by: str, asked: Asked, customers: set[str] | None = None) -> list[dict[str, Any]]:
    """The rules as JSON has them but for its rounded figures, in any order; `customers` are those that are known."""
    with duckdb.connect() as con:
        con.execute("create table rows (n integer, key varchar, id varchar, item varchar)")
        seen = [(n, *line) for n, line in enumerate(lines) if line.key and line.item]
        seen = [row for row in seen if customers is None or row[1] in customers]
        if not seen:
            return []
        con.executemany("insert into rows values (?, ?, ?, ?)", seen)
        basket = "key" if by == "customer" else "key || chr(0) || coalesce('id' || id, 'row' || n)"
        con.execute(f"create table lines as select distinct {basket} as basket, item from rows")
        con.execute("create table bought as select distinct key as basket, item from rows")
        (number,) = con.execute("select count(distinct basket) from lines").fetchone() or (0,)
        least = asked.baskets or -(-Fraction(asked.support) * number // 100)
        found = []
        for size in range(2, asked.length + 1):
            for items, both in _sets(con, size):
                for right in items if both >= least else ():
                    left = tuple(item for item in items if item != right)
                    of_left, of_right = _count(con, "lines", left), _count(con, "lines", (right,))
                    if Fraction(100 * both, of_left) < Fraction(asked.confidence):
                        continue
                    if Fraction(both * number, of_left * of_right) < Fraction(asked.lift):
                        continue
                    found.append(
                        {
                            "left": list(left),
                            "right": right,
                            "count": both,
                            "left_count": of_left,
                            "right_count": of_right,
                            "to_offer": _count(con, "bought", left) - _count(con, "bought", items),
                        }
                    )
        return found


def figures(rule: dict[str, Any], baskets: int) -> tuple[Decimal, Decimal, Decimal]:
    """Support, confidence and lift of a rule, exactly as its counts say, to six digits."""
    count, left, right = rule["count"], rule["left_count"], rule["right_count"]
    exact = (Fraction(100 * count, baskets), Fraction(100 * count, left), Fraction(count * baskets, left * right))
    support, confidence, lift = (Decimal(str(round(float(value), 6))) for value in exact)
    return support, confidence, lift


def _sets(con: duckdb.DuckDBPyConnection, size: int) -> list[tuple[tuple[str, ...], int]]:
    """Every set of this size that some basket has, and how many have it."""
    names = [f"l{number}" for number in range(size)]
    joins = "".join(
        f" join lines {name} on {name}.basket = l0.basket and {before}.item < {name}.item"
        for before, name in pairwise(names)
    )
    items = ", ".join(f"{name}.item" for name in names)
    rows = con.execute(f"select {items}, count(*) from lines l0{joins} group by {items}").fetchall()
    return [(row[:-1], row[-1]) for row in rows]


def _count(con: duckdb.DuckDBPyConnection, table: str, items: tuple[str, ...]) -> int:
    """How many baskets have all of these items."""
    query = f"select count(*) from (select basket from {table} where item in (select unnest(?)) group by basket having count(*) = ?)"
    (number,) = con.execute(query, [list(items), len(items)]).fetchone() or (0,)
    return int(number)
