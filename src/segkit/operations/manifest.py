"""`manifest.json`: what a run read and wrote, so that anybody can check it later."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from segkit import __version__
from segkit.errors import RuleError
from segkit.report.json import apply_data, dumps
from segkit.results import ApplyResult
from segkit.rules.loader import Loaded

NAME = "manifest.json"


class Digests:
    """The sha256 of input files, computed on a thread while Polars reads them too."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._found: dict[Path, Future[str]] = {}

    def start(self, paths: Iterable[Path]) -> None:
        """Begin with these files, where they have not been begun."""
        for path in paths:
            if path not in self._found:
                self._found[path] = self._pool.submit(digest, path)

    def close(self) -> None:
        """Drop what has not been begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __getitem__(self, path: Path) -> str:
        return self._found[path].result()


def read_written(directory: Path, *, must_exist: bool) -> dict[str, int] | None:
    """How many customers a run has written, by segment; None where there is no run, unless there must be one."""
    path = directory / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {segment["name"]: int(segment["written"]) for segment in data["segments"] if segment["write"]}
    except FileNotFoundError as error:
        if not must_exist:
            return None
        raise RuleError.of(f"`{directory}` holds no run: there is no `{NAME}`") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"cannot read `{path}`, the manifest of the run before"
        raise RuleError.of(message, hint="is it from segkit? move it away to start anew") from error


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(
    result: ApplyResult,
    loaded: Loaded,
    inputs: Sequence[tuple[str, Path, Path]],
    digests: Digests,
    files: Sequence[str],
    started: dt.datetime,
) -> str:
    """The manifest of a run as JSON; all but `times` is the same whenever the same files are read.

    `inputs` are (table, path, file with its content); `files` the names of what was written beside the manifest.
    """
    data: dict[str, Any] = apply_data(result)
    elapsed = data.pop("elapsed_seconds")
    for key in ("directory", "dry_run", "tables"):
        data.pop(key)
    for segment in data["segments"]:
        for output in [segment, *segment["outputs"]]:
            output["path"] = output["path"] and Path(output["path"]).name
    return dumps(
        {
            "schema_version": data.pop("schema_version"),
            "segkit_version": __version__,
            "rules": {"path": Path(loaded.source.path).name, "sha256": loaded.digest},
            "inputs": [
                {"table": table, "path": str(path), "bytes": content.stat().st_size, "sha256": digests[content]}
                for table, path, content in inputs
            ],
            "files": list(files),
            **data,
            "tables": [{"name": t.name, "rows": t.rows, "left_out": dict(t.left_out)} for t in result.tables],
            "times": {"started": started.isoformat(timespec="seconds"), "elapsed_seconds": elapsed},
        }
    )
