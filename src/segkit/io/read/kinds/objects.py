"""Files in buckets that Polars reads where they are, in parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import polars as pl

from segkit.errors import DataError
from segkit.io.cloud.refused import Refused
from segkit.io.cloud.store import Object
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened, damaged
from segkit.io.read.problems import changed, problem

FAILURES = (pl.exceptions.PolarsError, OSError)
"""What Polars raises where a server does not give what is asked."""
Refusal: TypeAlias = Callable[[Label, BaseException], DataError | None]
"""What an error means, where a bucket is to blame for it."""


def scanned(label: Label, found: Object, scan: Callable[..., pl.LazyFrame]) -> pl.LazyFrame:
    """The rows of an object; `DataError` where the bucket does not give them."""
    frame = scan(found.address, glob=False, hive_partitioning=False, **found.bucket.scanning())
    try:
        frame.collect_schema()
    except FAILURES as error:
        raise _refused(found, label, error) or error from None
    return frame


def of_object(found: Object, opened: Opened) -> Opened:
    """The file with its length, and with what finds out why it could not be read."""
    return opened._replace(size=found.item.size, fault=partial(fault, partial(_refused, found)))


def fault(refused: Refusal, opened: Opened) -> DataError | None:
    """The error for rows of a bucket that cannot be read to their end, by what its refusals mean."""
    try:
        for _ in opened.frame.collect_batches():
            pass
    except FAILURES as error:
        return refused(opened.label, error) or damaged(opened)
    return None


def _refused(found: Object, label: Label, error: BaseException) -> DataError | None:
    refused = found.means(error)
    try:
        if refused is None and not found.is_kept():
            return changed(label)
    except Refused as more:
        refused = more
    return problem(label, refused.message, hint=refused.hint) if refused else None
