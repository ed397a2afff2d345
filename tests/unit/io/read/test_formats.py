"""Kinds of files, compression, and paths that lead nowhere."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from segkit.errors import DataError, WriteError
from segkit.io.read import Workspace, explain_failure, open_table
from segkit.rules.model.sources import Source
from tests.desk import zstd
from tests.unit.io.read.fixture_types import Opener

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
ROWS = FRAME.rows()
NDJSON = b'{"a":1,"b":"x"}\n{"a":2,"b":null}\n'
CSV = b"a,b\n1,x\n2,\n"

WRITERS: dict[str, Callable[[Path], object]] = {
    "t.parquet": FRAME.write_parquet,
    "t.arrow": FRAME.write_ipc,
    "t.feather": FRAME.write_ipc,
    "stream.arrow": FRAME.write_ipc_stream,
    "t.ndjson": lambda path: path.write_bytes(NDJSON),
    "t.jsonl": lambda path: path.write_bytes(NDJSON),
    "lines.json": lambda path: path.write_bytes(NDJSON),
    "array.json": lambda path: path.write_bytes(b' [{"a":1,"b":"x"},{"a":2,"b":null}]'),
    "t.ndjson.gz": lambda path: path.write_bytes(gzip.compress(NDJSON)),
    "named.csv": FRAME.write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_typed(opened: Opener, tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    table = opened(path=name)
    assert table.frame.collect().rows() == ROWS
    assert [str(column.type) for column in table.columns.values()] == ["integer", "text"]


def test_gzip(opened: Opener) -> None:
    table = opened(gzip.compress(CSV), path="t.csv.gz")
    assert table.frame.collect().rows() == [("1", "x"), ("2", None)]


def test_zstd(opened: Opener, tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "t.csv.zst", compression="zstd")
    table = opened(path="t.csv.zst")
    assert table.frame.collect().rows() == [("1", "x"), ("2", None)]


def test_zstd_keeps_line_breaks_quotes_and_spaces(opened: Opener, tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ['x "y"\nz', " 1 ", None], "b": ["1", "2", "3"]})
    frame.write_csv(tmp_path / "t.csv.zst", compression="zstd")
    assert opened(path="t.csv.zst").frame.collect().rows() == frame.rows()


def test_truncated_zstd_of_many_blocks(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": [f"é{n}" for n in range(200_000)]}).write_csv(tmp_path / "t.csv.zst", compression="zstd")
    whole = (tmp_path / "t.csv.zst").read_bytes()
    with pytest.raises(DataError, match="truncated or damaged zstd"):
        opened(whole[: len(whole) // 2], path="t.csv.zst")


def test_files_of_a_glob_may_differ_in_number_types(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(tmp_path / "o1.parquet")
    pl.DataFrame({"b": ["y"], "a": [1.5]}).write_parquet(tmp_path / "o2.parquet")
    assert opened(path="*.parquet").frame.collect().rows() == [(1.0, "x"), (1.5, "y")]


BROKEN = {
    "truncated gzip": ("t.csv.gz", gzip.compress(CSV * 100)[:-20], "truncated or damaged gzip"),
    "truncated zstd": ("t.csv.zst", b"\x28\xb5\x2f\xfd\x04", "truncated or damaged zstd"),
    "empty gzip": ("t.csv.gz", gzip.compress(b""), "is empty"),
    "empty zstd": ("t.csv.zst", zstd(b""), "is empty"),
    "parquet cut off": ("t.parquet", b"PAR1abc", "is not a readable Parquet file"),
    "empty parquet": ("t.parquet", b"", "is empty"),
    "no parquet": ("t.parquet", b"a,b\n1,2\n", "is not a readable Parquet file"),
    "json of no object": ("t.json", b"[1, 2", "is not a readable JSON file"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken(opened: Opener, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError) as raised:
        opened(content, path=name)
    (found,) = raised.value.diagnostics
    assert message in found.message
    assert found.location is not None and found.location.path.endswith(name)
    assert "\n" not in found.message


@pytest.mark.parametrize("name", ["t.ndjson", "t.ndjson.gz"])
def test_a_line_that_is_no_json_is_found(opened: Opener, tmp_path: Path, name: str) -> None:
    lines = b'{"a":1}\n' * 20_000 + b'{"a":\n'
    (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    try:
        table = opened(path=name)
        with pytest.raises(pl.exceptions.PolarsError):
            table.frame.collect()
        error = explain_failure([table])
    except DataError as raised:
        error = raised
    assert error is not None
    assert "JSON" in error.diagnostics[0].message


def test_missing_files(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a\n")
    (tmp_path / "sub").mkdir()
    cases = {
        "order.csv": ("there is no file `order.csv`", "did you mean `orders.csv`?"),
        "*.parquet": ("no file matches `*.parquet`", "`orders.csv`"),
        "sub": ("`sub` is a directory", "`sub/*.csv`"),
        "no/where/orders.csv": ("there is no file", "there is no folder"),
        "sub/x.csv": ("there is no file `sub/x.csv`", "holds no files"),
        "ftp://host/x.csv": ("only files, tables at `https://` or `s3://` and databases are read", "download it"),
        "s3n://bucket/x.csv": ("only files, tables at `https://` or `s3://`", "write it as `s3://BUCKET/KEY`"),
    }
    for path, (message, hint) in cases.items():
        with pytest.raises(DataError) as raised:
            opened(path=path)
        (found,) = raised.value.diagnostics
        assert message in found.message
        assert hint in (found.hint or "")


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from segkit.io.read import Workspace, open_table
from segkit.rules.model.sources import Source
with Workspace() as ws:
    open_table(ws, "t", Source(path="t.csv.gz"), base=Path({str(tmp_path)!r}), timezone="UTC")
"""
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV))
    (tmp_path / "tmp").mkdir()
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": ":".join(sys.path)},
    )
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("place", ["in the sample", "after the sample"])
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_damaged_pages(opened: Opener, tmp_path: Path, kind: str, place: str) -> None:
    path = tmp_path / f"t.{kind}"
    frame = pl.select(n=pl.int_range(50_000).hash(1), s=pl.int_range(50_000).hash(2).cast(pl.String))
    if kind == "parquet":
        frame.write_parquet(path, row_group_size=10_000)
    else:
        frame.write_ipc(path, compression="zstd", record_batch_size=10_000)
    data = bytearray(path.read_bytes())
    start = 2_000 if place == "in the sample" else len(data) // 2
    data[start : start + 150_000] = b"\xa5" * 150_000
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"`t.{kind}` is damaged") as raised:
        table = opened(path=path.name)
        with pytest.raises(pl.exceptions.PolarsError):
            table.frame.collect()
        raise explain_failure([table]) or AssertionError
    assert raised.value.diagnostics[0].hint


@pytest.mark.parametrize("name", ["*", "^a.*$", "^($", "^$"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson", "arrow"])
def test_names_that_polars_would_expand(opened: Opener, tmp_path: Path, kind: str, name: str) -> None:
    frame = pl.DataFrame({"a": ["1"], name: ["2"]}, schema_overrides={name: pl.Categorical})
    write: dict[str, Callable[[Path], object]] = {
        "csv": frame.write_csv,
        "parquet": frame.write_parquet,
        "ndjson": frame.write_ndjson,
    }
    write.get(kind, frame.write_ipc)(tmp_path / f"t.{kind}")
    with pytest.raises(DataError) as raised:
        opened(path=f"t.{kind}")
    assert raised.value.diagnostics[0].message == f"a column cannot have the name `{name}`"
    assert "give it another name in the file" in (raised.value.diagnostics[0].hint or "")


@pytest.mark.parametrize("name", ["*", "^a.*$"])
def test_rename_gives_no_names_that_polars_would_expand(opened: Opener, name: str) -> None:
    with pytest.raises(DataError, match="which cannot be a name"):
        opened("a,b\n1,2\n", rename={name: "a"})


def text_file(path: Path, packing: str) -> None:
    """A file that needs 2 MB in the temporary folder."""
    frame = pl.select(a=pl.int_range(100_000), b=pl.lit("é123456789"))
    if packing == "zstd":
        frame.write_csv(path, compression="zstd", check_extension=False)
    elif packing == "gzip":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        path.write_bytes(frame.write_csv().encode(packing))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs mount")
@pytest.mark.parametrize("packing", ["gzip", "zstd", "cp1252", "utf-16"])
def test_a_full_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], check=False).returncode:
        pytest.skip("mount is not allowed")
    try:
        text_file(tmp_path / "t.csv", packing)
        monkeypatch.setattr("tempfile.tempdir", str(small))
        with pytest.raises(WriteError) as raised, Workspace() as ws:
            open_table(ws, "t", Source(path="t.csv"), base=tmp_path, timezone="UTC")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    message = f"cannot write to the temporary folder `{small}`: No space left on device"
    assert raised.value.diagnostics[0].message == message
    assert "TMPDIR" in (raised.value.diagnostics[0].hint or "")


def test_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(WriteError, match="cannot make a temporary folder") as raised, Workspace():
        pass
    assert "TMPDIR" in (raised.value.diagnostics[0].hint or "")


OTHER_THAN_LINES_OF_UTF_8 = {
    "cp1252": "a,b\n1,é\n2,ü\n".encode("cp1252"),
    "UTF-16": "a,b\n1,é\n2,ü\n".encode("utf-16"),
    "CR": "a,b\r1,é\r2,ü\r".encode(),
}


@pytest.mark.extra("zstd")
@pytest.mark.parametrize("content", OTHER_THAN_LINES_OF_UTF_8.values(), ids=OTHER_THAN_LINES_OF_UTF_8)
def test_zstd_with_its_extra(opened: Opener, content: bytes) -> None:
    assert opened(zstd(content), path="t.csv.zst").frame.collect().rows() == [("1", "é"), ("2", "ü")]


@pytest.fixture
def no_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("no_zstd")
@pytest.mark.parametrize("content", OTHER_THAN_LINES_OF_UTF_8.values(), ids=OTHER_THAN_LINES_OF_UTF_8)
def test_zstd_without_its_extra_names_it(opened: Opener, content: bytes) -> None:
    with pytest.raises(DataError, match=r"segkit-cli\[zstd\]"):
        opened(zstd(content), path="t.csv.zst")


@pytest.mark.usefixtures("no_zstd")
def test_zstd_of_utf_8_is_read_without_the_extra(opened: Opener) -> None:
    content = "a,b\n1,x y\n2,é\n".encode()
    assert opened(zstd(content), path="t.csv.zst").frame.collect().rows() == [("1", "x y"), ("2", "é")]
    with pytest.raises(DataError, match="is empty"):
        opened(zstd(b""), path="empty.csv.zst")


@pytest.fixture
def damaged(tmp_path: Path) -> bytes:
    pl.DataFrame({"a": ["x y"] * 5000}).write_csv(tmp_path / "whole.csv.zst", compression="zstd")
    packed = bytearray((tmp_path / "whole.csv.zst").read_bytes())
    packed[20:24] = b"\xff\xff\xff\xff"
    return bytes(packed)


def test_damaged_zstd(opened: Opener, damaged: bytes) -> None:
    with pytest.raises(DataError, match="damaged zstd"):
        opened(damaged, path="t.csv.zst")


@pytest.mark.usefixtures("no_zstd")
def test_damaged_zstd_without_the_extra(opened: Opener, damaged: bytes) -> None:
    with pytest.raises(DataError, match="damaged zstd"):
        opened(damaged, path="t.csv.zst")


def test_json_with_the_mark_of_utf_8(opened: Opener, tmp_path: Path) -> None:
    for name in ("t.ndjson", "array.json"):
        content = NDJSON if name == "t.ndjson" else b'[{"a":1,"b":"x"},{"a":2,"b":null}]'
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content)
        assert opened(path=name).frame.collect().rows() == ROWS
    (tmp_path / "l.ndjson").write_bytes('{"a":"é"}\n'.encode("cp1252"))
    with pytest.raises(DataError, match="iconv"):
        opened(path="l.ndjson")


@pytest.mark.parametrize("name", ["t.ndjson", "t.ndjson.gz"])
def test_the_line_that_is_no_json_is_looked_for_in_the_unpacked_text(opened: Opener, tmp_path: Path, name: str) -> None:
    lines = b'\xef\xbb\xbf{"a":1}\n{"a":2}\n'
    (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    assert explain_failure([opened(path=name)]) is None
