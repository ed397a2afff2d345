"""Files before their content: globs, pipes, what a file is, decompression."""

from __future__ import annotations

import codecs
import glob
import gzip
import importlib
import shutil
import sys
import zlib
from pathlib import Path
from typing import Any

import polars as pl

from segkit.addresses import CLOUD, WEB, Database, database_of, is_address, is_other_form, scheme_of
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.publish.errors import error_number
from segkit.io.read.folders.named import below, fixed_part, require_alike, values_of
from segkit.io.read.folders.tables import is_table, refuse_parts
from segkit.io.read.label import STDIN, Label, Origin
from segkit.io.read.problems import problem
from segkit.io.read.registry import FOREIGN, GZIP, PAGES, SQLITE, ZSTD, kind_of
from segkit.io.read.workspace import Workspace
from segkit.words import nearest


def origins(ws: Workspace, texts: str | tuple[str, ...], base: Path) -> tuple[Origin, ...]:
    """What a path, a glob or an address names, or several, in the order of these.

    What stands at an address is fetched. DataError for what is named twice, or is not there.
    """
    found = [one for text in ((texts,) if isinstance(texts, str) else texts) for one in _origins(ws, text, base)]
    real = [one.path.resolve() for one in found]
    for one in (one for number, one in enumerate(found) if real[number] in real[:number]):
        message = f"`{one.label.name}` is named twice, so its rows would count twice"
        raise problem(one.label, message, hint="name it once")
    require_alike(found)
    return tuple(found)


def _origins(ws: Workspace, text: str, base: Path) -> tuple[Origin, ...]:
    if scheme_of(text) in WEB:
        from segkit.io.read.web import fetched  # TLS takes long to load, and few need it

        return (fetched(ws, text),)
    if scheme_of(text) in CLOUD:
        from segkit.io.read.buckets.found import in_bucket  # what it needs takes long to load, and few need it

        return in_bucket(ws, text)
    if database := database_of(text):
        return (_origin_of(database, base),)
    if is_table(base / text):
        return (Origin(Label(str(base / text)), base / text, "delta"),)
    path = base / text
    files = below(path) if path.is_dir() else []
    if files:
        refuse_parts(files)
        return tuple(_below(file, path) for file in files)
    fixed = fixed_part(path)
    return tuple(_below(file, fixed) for file in expand(text, base))


def _below(file: Path, fixed: Path) -> Origin:
    label = Label(str(file))
    folders = values_of(label, file.relative_to(fixed)) if file.is_relative_to(fixed) else {}
    return Origin(label, file, folders=folders)


def _origin_of(database: Database, base: Path) -> Origin:
    """A server, which is no file, or the file of a database, which is there."""
    if database.kind == "postgresql":
        return Origin(Label(database.place), Path(), database.kind)
    path = base / database.place
    label = Label(f"{database.kind}:{path}")
    if path.is_dir():
        raise problem(label, f"`{database.place}` is a directory", hint="name the file of the database")
    if not path.exists():
        raise problem(label, f"there is no file `{database.place}`", hint=_neighbours(path))
    return Origin(label, path, database.kind)


def expand(text: str, base: Path) -> tuple[Path, ...]:
    """The files that a path or glob names, sorted; DataError where there is none."""
    if text == "-":
        return (STDIN,)
    if is_other_form(text):
        raise DataError(Diagnostic("a database is named by its address", hint="as in `postgresql://HOST/NAME`"))
    if is_address(text):
        message = f"cannot read `{Label(text)}`: only files, tables at `https://` or `s3://` and databases are read"
        other = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "azure": "az", "abfs": "az", "abfss": "az"}.get(scheme_of(text))
        hint = f"write it as `{other}://BUCKET/KEY`" if other else "download it first, and give its path"
        raise DataError(Diagnostic(message, hint=hint))
    path, label = base / text, Label(str(base / text))
    if path.is_file():
        refuse_parts((path,))
        return (path,)
    if path.is_dir():
        raise problem(label, f"`{text}` is a directory", hint=f"name its files with a glob such as `{text}/*.csv`")
    if glob.has_magic(text):
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
        files = tuple(Path(name) for name in found if Path(name).is_file())
        if files:
            refuse_parts(files)
            return files
        refuse_parts((path,))
        raise problem(label, f"no file matches `{text}`", hint=_neighbours(path))
    if path.exists():
        return (path,)  # a named pipe, as `<(command)` gives
    raise problem(label, f"there is no file `{text}`", hint=_neighbours(path))


def _neighbours(path: Path) -> str:
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    if folder != path.parent:
        return f"there is no folder `{path.parent}`"
    names = sorted(child.name for child in folder.iterdir() if child.is_file())
    near = nearest(path.name, names)
    if near:
        return near
    if names:
        return f"`{folder}` holds " + ", ".join(f"`{name}`" for name in names[:5]) + (", ..." if names[5:] else "")
    return f"`{folder}` holds no files"


def unpack(ws: Workspace, label: Label, path: Path) -> tuple[Path, str]:
    """The file itself, or its decompressed copy in the workspace, and the kind of its content; once a path."""
    if path not in ws.unpacked:
        ws.unpacked[path] = _unpack(ws, label, path)
    return ws.unpacked[path]


def plain(ws: Workspace, label: Label, path: Path) -> Path:
    """The file itself, or its decompressed copy in the workspace."""
    with ws.filling():
        packed = _spooled(ws, path)
        start = _start(label, packed)
        unpacked = packed
        if start.startswith(GZIP):
            unpacked = _gunzip(ws, label, packed)
        elif start.startswith(ZSTD):
            unpacked = _unzstd(ws, label, packed)
        ws.on_open(path if packed == path else unpacked)
        return unpacked


def _unpack(ws: Workspace, label: Label, path: Path) -> tuple[Path, str]:
    unpacked = plain(ws, label, path)
    start = _start(label, unpacked)
    for magic, what in FOREIGN.items():
        if start.startswith(magic):
            hint = (
                f'give `path = "sqlite:{label.path}"` and its `table`'
                if magic == SQLITE
                else "save it as CSV or Parquet"
            )
            raise problem(label, f"`{label.name}` looks like {what}, not a table", hint=hint)
    if start.lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower().startswith(PAGES):
        hint = "open it: a server may have sent it in place of the file, and some programs save tables so"
        raise problem(label, f"`{label.name}` is a page of the web, not a table", hint=hint)
    return unpacked, kind_of(label, start)


def _spooled(ws: Workspace, path: Path) -> Path:
    """The file itself; what comes through a pipe, which can be read once, as a copy."""
    if path.is_file():
        return path
    copy = ws.new_file("")
    with copy.open("wb") as out:
        if path == STDIN:
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
        else:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, out, 1 << 20)
    return copy


def _start(label: Label, plain: Path) -> bytes:
    try:
        with plain.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise problem(label, f"cannot read `{label.name}`: {error.strerror}") from error
    if not start:
        raise problem(label, f"`{label.name}` is empty")
    return start


def _gunzip(ws: Workspace, label: Label, packed: Path) -> Path:
    copy = ws.new_file("")
    try:
        with gzip.open(packed) as data, copy.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise problem(label, f"`{label.name}` is truncated or damaged gzip", hint="copy the file again") from error
    return copy


def _unzstd(ws: Workspace, label: Label, packed: Path) -> Path:
    copy = ws.new_file("")
    zstd = _zstd()
    if zstd is None:
        return _unzstd_by_polars(label, packed, copy)
    try:
        with zstd.open(packed) as data, copy.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
    except (EOFError, zstd.ZstdError) as error:
        raise problem(label, f"`{label.name}` is truncated or damaged zstd", hint="copy the file again") from error
    return copy


def _zstd() -> Any:
    """The module for zstd: of Python 3.14, or of the extra; None where there is neither."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _unzstd_by_polars(label: Label, packed: Path, copy: Path) -> Path:
    """Polars reads UTF-8 lines, which go through as they are, since no text holds the separator NUL."""
    lines = pl.scan_csv(
        packed, has_header=False, infer_schema=False, separator="\0", quote_char=None, new_columns=["line"]
    )
    hint = 'to read such files, install the extra: `pip install "segkit-cli[zstd]"`; or decompress it'
    other = problem(label, f"`{label.name}` is zstd, and not lines of UTF-8", hint=hint)
    try:
        lines.sink_csv(copy, include_header=False, separator="\0", quote_style="never")
    except pl.exceptions.NoDataError:
        copy.touch()
    except (pl.exceptions.PolarsError, OSError) as error:
        if error_number(error):
            raise
        if isinstance(error, OSError):
            raise problem(label, f"`{label.name}` is truncated or damaged zstd", hint="copy the file again") from error
        raise other from error
    if b"\r" in _start(label, copy).partition(b"\n")[0]:  # lines that end with it alone, all taken for one
        raise other
    return copy
