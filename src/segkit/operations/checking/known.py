"""Measurable: which columns the criteria of a segment read, and how many customers have a value in each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segkit.criteria.sql.parse import sql_columns
from segkit.rules.findings import KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import below

_ASKS_FOR_NULL = re.compile(r"\b(null|coalesce|ifnull|nullif)\b", re.IGNORECASE)


def columns_read(rules: RuleFile, segment: str) -> Iterator[tuple[KeyPath, str]]:
    """Each column of customers that must have a value for the criteria to tell anything, and the place that reads it.

    `in_segment` is opened up. Conditions on what is missing do not count, nor does `sql` that looks at that; events are
    counted, so that none is a value.
    """
    for path, block in below(("segment", segment), rules.segment[segment]):
        for family, column, condition in block.criteria():
            if condition.missing is None and not condition.or_missing:
                yield (*path, family, column), column
        if block.sql is not None and not _ASKS_FOR_NULL.search(block.sql):
            yield from (((*path, "sql"), column) for column in sorted(sql_columns(block.sql)))
        for key in block.geographic.places:
            yield from (
                ((*path, "geographic", key), column)
                for column in (rules.customers.latitude, rules.customers.longitude)
                if column
            )
        for key in ("in_segment", "not_in_segment"):
            for position, name in enumerate(getattr(block, key)):
                yield from (((*path, key, position), column) for _, column in columns_read(rules, name))
