"""`manifest.json`: what a run read and wrote, so that anybody can check it later."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from segkit import __version__
from segkit.errors import DataError, RuleError
from segkit.io.publish.folder import MANIFEST as NAME
from segkit.io.read.text.encoding import CHUNK
from segkit.operations.delivery.runs import find_run
from segkit.report.as_json import apply_data, dumps
from segkit.results import ApplyResult
from segkit.rules.text.loader import Loaded

__all__ = ["NAME", "Digests", "digest", "manifest", "read_written"]


class Digests:
    """The sha256 of input files, computed on a thread while Polars reads them too."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, initializer=_yield_to_others)
        self._found: dict[Path, Future[str]] = {}
        self._closed = threading.Event()

    def start(self, path: Path) -> None:
        """Begin with this file, if it has not been begun."""
        if path not in self._found:
            self._found[path] = self._pool.submit(digest, path, self._closed.is_set)

    def close(self) -> None:
        """Drop what is not done."""
        self._closed.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __getitem__(self, path: Path) -> str:
        self.start(path)
        return self._found[path].result()


def _yield_to_others() -> None:
    """Let this thread have the processor when no other thread wants it."""
    if sys.platform == "linux":  # elsewhere, only whole processes have a priority
        with suppress(OSError):  # a sandbox may forbid it: then the thread has its share
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def read_written(directory: Path, *, must_exist: bool) -> dict[str, int] | None:
    """How many customers a run has written, by segment; None where there is no run, unless there must be one."""
    try:
        run = find_run(directory)
    except DataError as error:
        raise RuleError(*error.diagnostics) from error
    if run is None and must_exist:
        raise RuleError.of(f"`{directory}` holds no run: there is no `{NAME}`")
    return run.written if run else None


def digest(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """The sha256 of a file, in hexadecimal; of a part of it where it was stopped."""
    found, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK))
    with path.open("rb", buffering=0) as file:
        while (size := file.readinto(buffer)) and not stopped():
            found.update(buffer[:size])
    return found.hexdigest()


def manifest(
    result: ApplyResult,
    loaded: Loaded,
    inputs: Sequence[tuple[str, Path, Path]],
    digests: Digests,
    files: Sequence[str],
    started: dt.datetime,
    about: Mapping[str, Any],
) -> str:
    """The manifest of a run as JSON; all but `times` is the same whenever the same files are read.

    `inputs` are (table, path, file with its content); `files` the names of what was written beside the manifest;
    `about` says more about these files. Nothing in it tells one customer from another: keys at a threshold stay out.
    """
    data: dict[str, Any] = apply_data(result)
    elapsed = data.pop("elapsed_seconds")
    for key in ("directory", "dry_run", "tables"):
        data.pop(key)
    for segment in data["segments"]:
        segment["holdout_path"] = segment["holdout_path"] and Path(segment["holdout_path"]).name
        segment.pop("change")  # what the last run was, is not of this one
        for output in [segment, *segment["outputs"]]:
            output["path"] = output["path"] and Path(output["path"]).name
    for threshold in data["thresholds"]:
        threshold["keys"] = []
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
            **about,
            **data,
            "tables": [{"name": t.name, "rows": t.rows, "left_out": dict(t.left_out)} for t in result.tables],
            "times": {"started": started.isoformat(timespec="milliseconds"), "elapsed_seconds": elapsed},
        }
    )
