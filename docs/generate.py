"""Brings every document up to date with what segkit prints today; `--check` only says which ones are not.

    python -m docs.generate

Writes `configs/segkit.schema.json`, `docs/codes.md`, the templates of `segkit init`, the tables of `docs/rule-file.md`,
the pictures of the README and of the RFM example, and the output below every command in the documents. A document is
run from top to bottom in a copy of the examples:

- `console` blocks are commands (`$ ...`) and what they print, which is put in place anew;
- `pycon` blocks are statements of Python (`>>> ...`) and what they show, which is put in place anew; all of a document
  run in one session;
- `toml` blocks are rule files (those with `version = 1`) or pieces of one, which run on the shop in `docs/shop`;
- a comment above a block says more: `<!-- file: NAME -->` saves it under this name, `<!-- file: NAME, after OTHER -->`
  below the lines of another file, `<!-- exit: 2 -->` names the exit code of its last command, `<!-- needs: jq -->` a
  program without which the block stays as it stands (`$CRM`: the server that SEGKIT_TEST_POSTGRES names; `$S3`: a
  bucket on that of SEGKIT_TEST_S3), and
  `<!-- not run: WHY -->` leaves it alone.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import doctest
import importlib.util
import io
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl
from click.testing import CliRunner

from docs.made_up import templates
from docs.picture import svg
from docs.reference import BEGIN, codes_markdown, write_between_markers
from segkit.cli import main as segkit
from segkit.errors import SegkitError
from segkit.io.write import FORMATS
from segkit.operations.apply import apply
from segkit.operations.rfm import Chart, rfm
from segkit.report.chart import drawn
from segkit.report.text.apply import apply_summary
from segkit.rules.schema.json_schema import json_schema, schema_text
from segkit.rules.text.loader import load_rules_text

ROOT = Path(__file__).parents[1]
SCHEMA, PICTURE = ROOT / "configs/segkit.schema.json", ROOT / "docs/images/summary.svg"
CODES = ROOT / "docs/codes.md"
CHART, ORDERS = ROOT / "docs/images/rfm.svg", "examples/rfm/rfm_data_orders.csv"
RULES = Path("examples/adventureworks/rules.toml")
DOCUMENTS = (
    "README.md", "docs/tour.md", "docs/recipes.md", "docs/rule-file.md", "docs/sources.md", "docs/cli.md",
    "docs/python.md", "docs/scale.md", "docs/measure.md",
    "examples/adventureworks/README.md", "examples/leads/README.md",
    "examples/nightly/README.md",
    "examples/rfm/README.md", "configs/README.md",
    "CONTRIBUTING.md", "docs/how-it-works.md",
)  # fmt: skip
COMMAND = "python -m docs.generate"
SERVER, CLOUD = os.environ.get("SEGKIT_TEST_POSTGRES", ""), os.environ.get("SEGKIT_TEST_S3", "")

_SECONDS = re.compile(
    r'^ +\d+\.\d\d s(?=  )|\((?:\d+\.\d\d|\d+)(?:&#160;| )s\)|(?<="elapsed_seconds": )[\d.]+', re.MULTILINE
)
_DIRECTIVE = re.compile(r"^<!-- (?P<word>file|exit|needs|not run): (?P<what>.*) -->$")
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\S*)")
_HEADER = re.compile(r"^\[+\s*([^\]]+?)\s*\]+", re.MULTILINE)
_TOP = ("version", "as_of", "timezone")
_SHELL = re.compile(r"[|<>$*;&`]|^\w+=")

EXTRAS = """
[trait.age]
years_since = "birth_date"

[value]
events = "orders"

[rfm]
events = "orders"
"""
"""Columns that pieces of rule files may use beside those of `docs/shop/base.toml`."""


class Stale(Exception):
    """A block cannot be run as it stands."""


@dataclass
class Block:
    """A fenced block: its place in the document (lines, from 0), what it is, and the comments above it."""

    start: int
    end: int
    language: str
    lines: list[str]
    file: str = ""
    exit: int = 0
    needs: str = ""
    not_run: str = ""


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown document; `start` and `end` bound the lines between the fences."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        found = _FENCE.match(lines[at])
        if found is None:
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == found["fence"])
        block = Block(at + 1, end, found["language"], lines[at + 1 : end])
        above = at - 1
        while above >= 0 and (said := _DIRECTIVE.match(lines[above])):
            match said["word"]:
                case "file":
                    block.file = said["what"]
                case "exit":
                    block.exit = int(said["what"])
                case "needs":
                    block.needs = said["what"]
                case _:
                    block.not_run = said["what"]
            above -= 1
        yield block
        at = end + 1


class Session:
    """A copy of the examples in which the commands of one document run, one after the other."""

    def __init__(self, folder: Path, servers: Mapping[str, str]) -> None:
        self.root = self.here = folder
        self.names: dict[str, object] = {}
        skip = shutil.ignore_patterns("segments", "lists", "runs.log", "*.py", "images")
        for name in ("examples", "configs", "docs"):
            if (ROOT / name).exists():
                shutil.copytree(ROOT / name, folder / name, ignore=skip)
        tools = folder / ".tools"
        tools.mkdir()
        script = tools / "segkit"
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m segkit "$@"\n')
        script.chmod(0o755)
        self.environment = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            **servers,
        }
        self._settings = ("COLUMNS", *servers)

    def has(self, needed: str) -> bool:
        """Whether there is a program, or a server in a variable."""
        return needed[1:] in self.environment if needed.startswith("$") else shutil.which(needed) is not None

    def run(self, command: str, code: int) -> str:
        """What the command prints, on both streams; Stale where it ends with another exit code."""
        words = shlex.split(command)
        if words[0] == "cd":
            self.here = self.here / words[1]
            return ""
        first, _, rest = command.partition(" | ")
        if words[0] == "segkit" and not _SHELL.search(first):
            with self._inside():
                done = CliRunner().invoke(segkit, shlex.split(first)[1:], prog_name="segkit")
            got, printed = done.exit_code, done.output
            if rest and not got:
                got, printed = self._shell(rest, done.stdout_bytes)
                printed = done.stderr + printed
        else:
            got, printed = self._shell(command, b"")
        if got != code:
            raise Stale(f"`{command}` ended with {got}, not {code}:\n{printed}")
        return printed

    def _shell(self, command: str, given: bytes) -> tuple[int, str]:
        process = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.here,
            env=self.environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return process.returncode, process.stdout.decode()

    def interact(self, lines: list[str]) -> Iterator[str]:
        """Statements at the prompt of Python, each with what it shows: its value, what it prints, or its error."""
        for example in doctest.DocTestParser().get_examples("\n".join(lines) + "\n"):
            first, *more = example.source.rstrip("\n").split("\n")
            yield from (f">>> {first}", *(f"... {line}".rstrip() for line in more))
            shown = io.StringIO()
            with self._inside(), contextlib.redirect_stdout(shown), pl.Config(tbl_width_chars=80):
                try:
                    exec(compile(example.source, "<document>", "single"), self.names)
                except NameError as error:  # what names it has failed before
                    raise Stale(f"`{first}`: {error}") from error
                except SegkitError as error:
                    shown.write(f"{type(error).__name__}: {error}")
            yield from (line.rstrip() for line in shown.getvalue().rstrip("\n").splitlines())

    def save(self, directive: str, lines: list[str]) -> None:
        """Write a block under the name that its comment gives, below another file where it says so."""
        name, _, base = directive.partition(", after ")
        before = (self.here / base).read_text(encoding="utf-8") + "\n" if base else ""
        target = self.here / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(before + "\n".join(lines) + "\n", encoding="utf-8")

    def dry_run(self, piece: str) -> None:
        """Run a piece of a rule file on the shop, with what it lacks to be a whole one."""
        shop = self.root / "docs/shop"
        path = shop / "piece.toml"
        path.write_text(completed(piece, (shop / "base.toml").read_text(encoding="utf-8") + EXTRAS), encoding="utf-8")
        with self._inside():
            done = CliRunner().invoke(segkit, ["apply", str(path), "--dry-run"])
        if done.exit_code:
            raise Stale(f"this piece of a rule file does not run:\n{piece}\n\n{done.output}")
        with self._inside():
            done = CliRunner().invoke(segkit, ["test", str(path)])
        if done.exit_code:
            raise Stale(f"a test in this piece of a rule file does not pass:\n{piece}\n\n{done.output}")

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        hidden = sys.modules.get("email_validator", self)
        sys.modules["email_validator"] = None  # type: ignore[assignment]  # what documents show needs no extra
        names = ("NO_COLOR", "FORCE_COLOR", *self._settings)
        before, settings = Path.cwd(), {name: os.environ.get(name) for name in names}
        os.chdir(self.here)
        os.environ |= {name: self.environment[name] for name in self._settings}
        try:
            yield
        finally:
            os.chdir(before)
            del sys.modules["email_validator"]
            if hidden is not self:
                sys.modules["email_validator"] = hidden  # type: ignore[assignment]
            for name, value in settings.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


@contextlib.contextmanager
def database() -> Iterator[str | None]:
    """The address of a schema that has the customers and orders of the shop; None without a server."""
    if not SERVER:
        yield None
        return
    from adbc_driver_postgresql import dbapi

    schema = f"docs_{secrets.token_hex(6)}"
    with dbapi.connect(SERVER, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"create schema {schema}")
        try:
            for table in ("customers", "orders"):
                rows = pl.read_csv(ROOT / f"docs/shop/{table}.csv", try_parse_dates=True)
                cursor.adbc_ingest(table, rows, db_schema_name=schema)
            yield f"{SERVER}{'&' if '?' in SERVER else '?'}options=-csearch_path%3D{schema}"
        finally:
            cursor.execute(f"drop schema {schema} cascade")


@contextlib.contextmanager
def bucket() -> Iterator[Mapping[str, str]]:
    """The address of a bucket that has the tables of the shop, and what lets one in; nothing without a server."""
    if not CLOUD or importlib.util.find_spec("obstore") is None:
        yield {}
        return
    name = f"docs-{secrets.token_hex(6)}"
    shop = {f"/shop/{table}.csv": (ROOT / f"docs/shop/{table}.csv").read_bytes() for table in ("customers", "orders")}
    for key, content in {"": None, **shop}.items():
        headers = {"Content-Type": "text/csv"}
        urllib.request.urlopen(urllib.request.Request(f"{CLOUD}/{name}{key}", content, headers, method="PUT")).close()
    keys = {"AWS_ACCESS_KEY_ID": "docs", "AWS_SECRET_ACCESS_KEY": "docs"}
    yield {"S3": f"s3://{name}", "AWS_ENDPOINT_URL": CLOUD, **keys}


@contextlib.contextmanager
def servers(text: str) -> Iterator[Mapping[str, str]]:
    """What a document needs of servers, by the names of variables."""
    needs = [block.needs for block in blocks(text)]
    with contextlib.ExitStack() as stack:
        crm = stack.enter_context(database()) if any("$CRM" in one for one in needs) else None
        s3 = stack.enter_context(bucket()) if any("$S3" in one for one in needs) else {}
        yield {**({"CRM": crm} if crm else {}), **s3}


def completed(piece: str, base: str) -> str:
    """A piece of a rule file with the tables and keys of `base` that it lacks, and a segment."""
    first = _HEADER.search(piece)
    head, tables = (piece[: first.start()], piece[first.start() :]) if first else (piece, "")
    keys = re.findall(r"^([a-z_]+)[\w.]*\s*=", head, re.MULTILINE)
    top = {line.split(" ")[0]: line for line in base.split("\n\n", maxsplit=1)[0].splitlines()}
    if keys and not any(key in _TOP for key in keys):
        tables, head = f"[segment.piece]\n{head}\n{tables}", ""
    given = {re.sub(r"^(rfm|value|customers|output)\..*", r"\1", name) for name in _HEADER.findall(tables)}
    missing = [part for part in base.split("\n\n")[1:] if _HEADER.match(part.strip())]
    missing = [part for part in missing if _HEADER.findall(part)[0] not in given]
    heads = [line for key, line in top.items() if key not in keys]
    segment = "" if "[segment." in tables else "\n[segment.everyone]\neveryone = true\n"
    return "\n".join([*heads, head, "\n\n".join(missing), tables, segment])


def updated(text: str, session: Session) -> str:
    """The document with the output of today below each command; Stale where a block fails."""
    if BEGIN in text:
        text = write_between_markers(text)
    lines = text.split("\n")
    for block in reversed([_ran(block, session) for block in blocks(text)]):
        lines[block.start : block.end] = block.lines
    return "\n".join(lines)


def _ran(block: Block, session: Session) -> Block:
    if block.not_run or not all(map(session.has, filter(None, block.needs.split(", ")))):
        return block
    if block.file:
        session.save(block.file, block.lines)
    elif block.language == "toml":
        text = "\n".join(block.lines)
        if re.search(r"^version = 1", text, re.MULTILINE):
            load_rules_text(text, formats=FORMATS)
        else:
            session.dry_run(text)
    elif block.language == "pycon":
        return replace(block, lines=list(session.interact(block.lines)))
    elif block.language == "console":
        return replace(block, lines=list(_printed(block, session)))
    elif not block.file and block.language in ("sh", "bash", "python", ""):
        raise Stale(f"a block says neither what it is nor why it is not run:\n{block.lines[0]}")
    return block


def _printed(block: Block, session: Session) -> Iterator[str]:
    commands = [line.removeprefix("$ ") for line in block.lines if line.startswith("$ ")]
    for number, command in enumerate(commands, 1):
        yield f"$ {command}"
        printed = session.run(command, block.exit if number == len(commands) else 0)
        yield from printed.rstrip("\n").splitlines()


def picture() -> str:
    """The segments of the first example, as a terminal shows them."""
    with tempfile.TemporaryDirectory() as folder:
        result = apply(ROOT / RULES, output=folder)
    segments = tuple(segment._replace(profile={}) for segment in result.segments)
    result = result._replace(segments=segments, thresholds=(), directory=str(RULES.parent / "segments"))
    return svg(apply_summary(result), title=f"segkit apply {RULES}", width=98)


def chart() -> str:
    """The picture of the RFM example, which the extra `charts` draws."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rfm.svg"
        picture = Chart(str(path), partial(drawn, path=str(path)))
        rfm(str(ROOT / ORDERS), as_of=dt.date(2006, 12, 31), chart=picture)
        return path.read_text(encoding="utf-8")


def masked(text: str) -> str:
    """The text without what differs from run to run: elapsed seconds."""
    return _SECONDS.sub("(...)", text)


def generated(documents: tuple[str, ...] = DOCUMENTS) -> Iterator[tuple[Path, str]]:
    """Every file that is written here, and what it should hold."""
    yield SCHEMA, schema_text(json_schema(FORMATS))
    yield CODES, codes_markdown()
    yield from templates()
    yield PICTURE, picture()
    if importlib.util.find_spec("altair") and importlib.util.find_spec("vl_convert"):
        yield CHART, chart()
    for name in documents:
        yield ROOT / name, document(name)


def document(name: str) -> str:
    """What a document should hold."""
    text = (ROOT / name).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="segkit-docs-") as folder, servers(text) as there:
        try:
            return updated(text, Session(Path(folder), there))
        except Stale as error:
            raise Stale(f"{name}: {error}") from error


def is_current(path: Path, text: str) -> bool:
    """Whether the file holds this text, but for elapsed seconds."""
    return path.exists() and masked(path.read_text(encoding="utf-8")) == masked(text)


def main() -> int:
    """Write what is out of date, or say what is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a document is out of date")
    parser.add_argument("names", nargs="*", help="documents, such as docs/tour.md; default: all")
    given = parser.parse_args()
    old = 0
    try:
        for path, text in generated(tuple(given.names) or DOCUMENTS):
            if not is_current(path, text):
                old += 1
                sys.stdout.write(f"{'out of date' if given.check else 'written'}: {path.relative_to(ROOT)}\n")
                if not given.check:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8")
    except Stale as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return int(bool(old and given.check))


if __name__ == "__main__":
    sys.exit(main())
