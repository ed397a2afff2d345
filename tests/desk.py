"""A desk to work at: a folder, files put into it, and segkit run on them through its public surface."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from click.testing import CliRunner, Result

from segkit.cli import main

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
"""Real data beside the repository; not on every machine, and some of it may not be shipped."""

Content = str | bytes | pl.DataFrame


class Desk:
    """A folder with data and rule files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def put(self, name: str, content: Content) -> Path:
        """A file: text as UTF-8, bytes as they are, a frame in the format of the extension."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pl.DataFrame):
            write: dict[str, Callable[[Path], object]] = {
                ".csv": content.write_csv,
                ".parquet": content.write_parquet,
                ".ndjson": content.write_ndjson,
                ".arrow": content.write_ipc,
            }
            write[path.suffix](path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def segkit(self, *args: object, code: int | None = 0, input: bytes | None = None) -> Result:
        """`segkit ARGS` in this process; `code` is the exit code that must come back."""
        result = CliRunner().invoke(main, [str(a) for a in args], prog_name="segkit", input=input)
        if code is not None:
            shown = f"segkit {' '.join(map(str, args))}\nexit {result.exit_code}\n{result.stderr}"
            assert result.exit_code == code, shown
        assert "Traceback" not in result.stderr
        return result

    def process(self, *args: object, env: Mapping[str, str] | None = None, **options: Any) -> Any:
        """`segkit ARGS` as its own process, in this folder, done."""
        return subprocess.run(
            [sys.executable, "-m", "segkit", *map(str, args)],
            cwd=options.pop("cwd", self.folder),
            env=environment() | dict(env or {}),
            capture_output=options.pop("capture_output", True),
            stdin=options.pop("stdin", None if "input" in options else subprocess.DEVNULL),
            check=False,
            timeout=120,
            **options,
        )

    def begin(self, *args: object) -> subprocess.Popen[bytes]:
        """`segkit ARGS` as its own process, in this folder, not waited for."""
        command = [sys.executable, "-m", "segkit", *map(str, args)]
        return subprocess.Popen(command, cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL)

    def apply(self, rules: str, *args: object, code: int | None = 0, input: bytes | None = None) -> Result:
        """Write the rule file and apply it."""
        return self.segkit("apply", self.put("rules.toml", rules), *args, code=code, input=input)

    def json(self, rules: str, *args: object) -> Any:
        """The summary of a run, as JSON."""
        return json.loads(self.apply(rules, *args, "--json").stdout)

    def rows(self, rules: str, *args: object, input: bytes | None = None) -> list[dict[str, str]]:
        """The rows that `apply -o -` writes."""
        done = self.apply(rules, "-o", "-", "--summary", "none", *args, input=input)
        return self.read(done.stdout_bytes)

    def members(self, head: str, segments: Mapping[str, str], *args: object) -> dict[str, list[str]]:
        """Who is in each segment: `head` is the rule file without segments, a segment the lines of its table."""
        names = {f"s{i}": name for i, name in enumerate(segments)}
        tables = [f"[segment.{short}]\n{segments[name]}\n" for short, name in names.items()]
        found: dict[str, list[str]] = {name: [] for name in segments}
        for row in self.rows(head + "\n" + "\n".join(tables), *args):
            key = next(iter(row))
            found[names[row["segment"]]].append(row[key])
        return found

    def each(self, head: str, segments: Mapping[str, str]) -> dict[str, list[str] | AssertionError]:
        """Like `members`; where the rule file as a whole fails, every segment on its own, failures as values."""
        try:
            return dict(self.members(head, segments))
        except AssertionError:
            found: dict[str, list[str] | AssertionError] = {}
            for name, text in segments.items():
                try:
                    found[name] = self.members(head, {name: text})[name]
                except AssertionError as error:
                    found[name] = error
            return found

    def columns(self, head: str, *names: str) -> dict[str, Any]:
        """Columns of every customer, by key: the text of one column, or a tuple of several."""
        output = f"[output]\ncolumns = {json.dumps(names)}\n[segment.all]\neveryone = true\n"
        rows = self.rows(head + "\n" + output)
        key = next(iter(rows[0])) if rows else ""
        return {row[key]: row[names[0]] if len(names) == 1 else tuple(row[n] for n in names) for row in rows}

    def tree(self, name: str = "segments") -> dict[str, bytes]:
        """Every file below a folder, by name; but not the rules that runs keep, which are those of the test."""
        folder = self.folder / name
        files = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.match("run/*.toml")]
        return {str(p.relative_to(folder)): p.read_bytes() for p in files}

    def read(self, source: bytes | str) -> list[dict[str, str]]:
        """The rows of a CSV file of this folder, or of its content, as text."""
        content = source if isinstance(source, bytes) else (self.folder / source).read_bytes()
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def head(*more: str, as_of: str = "2024-03-01", path: str = "c.csv", key: str = "id") -> str:
    """The first lines of a rule file, to its customers; `more` are further lines of `[customers]`."""
    return _lines("version = 1", f"as_of = {as_of}", "[customers]", f'path = "{path}"', f'key = "{key}"', *more)


def event_table(name: str, path: str, *more: str) -> str:
    """A table of events in a rule file; `more` are further lines of it."""
    return _lines(f"[events.{name}]", f'path = "{path}"', 'time = "day"', *more)


def zstd(content: bytes) -> bytes:
    """The content as a zstd file, in blocks that are stored as they are: that needs no compressor."""
    most = 128 * 1024
    blocks = [content[at : at + most] for at in range(0, len(content), most)] or [b""]
    sizes = [(len(block) << 3 | (block is blocks[-1])).to_bytes(3, "little") for block in blocks]
    body = b"".join(size + block for size, block in zip(sizes, blocks, strict=True))
    return b"\x28\xb5\x2f\xfd\xe0" + len(content).to_bytes(8, "little") + body


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def environment() -> dict[str, str]:
    """For a process that finds segkit in this repository."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}
