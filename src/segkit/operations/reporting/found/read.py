"""A file that `basket --json`, `lookalike --json` or `cluster --json` has printed, as a section of a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from segkit.errors import DataError
from segkit.operations.reporting.found.basket import BasketFile, basket_found
from segkit.operations.reporting.found.cluster import ClusterFile, cluster_found
from segkit.operations.reporting.found.lookalike import LookalikeFile, lookalike_found
from segkit.operations.reporting.sources import Names
from segkit.reports import BasketFound, ClusterFound, LookalikeFound
from segkit.results.terms import SCHEMA_VERSION

_COMMANDS = "`segkit basket`, `lookalike` or `cluster`"
_FILES = {"basket": BasketFile, "lookalike": LookalikeFile, "cluster": ClusterFile}


@dataclass(frozen=True, kw_only=True)
class _Head:
    schema_version: int
    command: str


class Discoveries(NamedTuple):
    """What was found, by command, in the order of the files."""

    baskets: tuple[BasketFound, ...] = ()
    lookalikes: tuple[LookalikeFound, ...] = ()
    clusters: tuple[ClusterFound, ...] = ()


def discoveries(paths: Iterable[Path], names: Names, fewest: int) -> Discoveries:
    """What the files tell, without what would tell of fewer than `fewest` customers.

    Raises `DataError` for a file that none of these commands has printed, or not as a whole, or another version of it.
    """
    files = [_read(path) for path in paths]
    return Discoveries(
        baskets=tuple(basket_found(one, names, fewest) for one in files if isinstance(one, BasketFile)),
        lookalikes=tuple(lookalike_found(one, names, fewest) for one in files if isinstance(one, LookalikeFile)),
        clusters=tuple(cluster_found(one, names, fewest) for one in files if isinstance(one, ClusterFile)),
    )


def _read(path: Path) -> BasketFile | LookalikeFile | ClusterFile:
    hint = "write it: `segkit basket ... --json > FILE`, so `lookalike` and `cluster`"
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DataError.of(f"cannot read `{path}`: {error.strerror}", hint=hint) from error
    try:
        head = TypeAdapter(_Head).validate_json(text)
    except ValidationError as error:
        if (found := error.errors()[0])["type"] == "json_invalid":
            message = f"`{path}` is not JSON as a whole: {found['msg'].removeprefix('Invalid JSON: ')}"
            raise DataError.of(message, hint=hint) from error
        raise DataError.of(f"`{path}` is not what {_COMMANDS} prints with `--json`", hint=hint) from error
    if head.command not in _FILES:
        raise DataError.of(f"`{path}` is of `{head.command}`, not of {_COMMANDS}", hint=hint)
    if head.schema_version != SCHEMA_VERSION:
        message = f"`{path}` has version {head.schema_version} of the JSON, and this segkit reads {SCHEMA_VERSION}"
        raise DataError.of(message, hint=f"let this segkit write it: `segkit {head.command} ... --json > FILE`")
    try:
        return TypeAdapter[BasketFile | LookalikeFile | ClusterFile](_FILES[head.command]).validate_json(text)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        message = f"`{path}` is not what `segkit {head.command} --json` prints"
        raise DataError.of(f"{message}: see `{place}`" if place else message, hint=hint) from error
