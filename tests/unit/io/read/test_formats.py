"""Kinds of files, compression, and paths that lead nowhere."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys

import polars as pl
import pytest

from segkit.errors import DataError, WriteError
from segkit.io.read import Workspace, explain_failure, open_table
from segkit.rules.model.sources import Source

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
ROWS = FRAME.rows()
NDJSON = b'{"a":1,"b":"x"}\n{"a":2,"b":null}\n'
CSV = b"a,b\n1,x\n2,\n"

WRITERS = {
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
def test_typed(opened, tmp_path, name):
    WRITERS[name](tmp_path / name)
    table = opened(path=name)
    assert table.frame.collect().rows() == ROWS
    assert [str(column.type) for column in table.columns.values()] == ["integer", "text"]


def test_gzip(opened):
    table = opened(gzip.compress(CSV), path="t.csv.gz")
    assert table.frame.collect().rows() == [("1", "x"), ("2", None)]


def test_zstd(opened, tmp_path):
    FRAME.write_csv(tmp_path / "t.csv.zst", compression="zstd")
    table = opened(path="t.csv.zst")
    assert table.frame.collect().rows() == [("1", "x"), ("2", None)]


def test_zstd_keeps_line_breaks_quotes_and_spaces(opened, tmp_path):
    frame = pl.DataFrame({"a": ['x "y"\nz', " 1 ", None], "b": ["1", "2", "3"]})
    frame.write_csv(tmp_path / "t.csv.zst", compression="zstd")
    assert opened(path="t.csv.zst").frame.collect().rows() == frame.rows()


def test_truncated_zstd_of_many_blocks(opened, tmp_path):
    pl.DataFrame({"a": [f"é{n}" for n in range(200_000)]}).write_csv(tmp_path / "t.csv.zst", compression="zstd")
    whole = (tmp_path / "t.csv.zst").read_bytes()
    with pytest.raises(DataError, match="truncated or damaged zstd"):
        opened(whole[: len(whole) // 2], path="t.csv.zst")


def test_files_of_a_glob_may_differ_in_number_types(opened, tmp_path):
    pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(tmp_path / "o1.parquet")
    pl.DataFrame({"b": ["y"], "a": [1.5]}).write_parquet(tmp_path / "o2.parquet")
    assert opened(path="*.parquet").frame.collect().rows() == [(1.0, "x"), (1.5, "y")]


BROKEN = {
    "truncated gzip": ("t.csv.gz", gzip.compress(CSV * 100)[:-20], "truncated or damaged gzip"),
    "truncated zstd": ("t.csv.zst", b"\x28\xb5\x2f\xfd\x04", "truncated or damaged zstd"),
    "empty gzip": ("t.csv.gz", gzip.compress(b""), "is empty"),
    "parquet cut off": ("t.parquet", b"PAR1abc", "is not a readable Parquet file"),
    "empty parquet": ("t.parquet", b"", "is empty"),
    "no parquet": ("t.parquet", b"a,b\n1,2\n", "is not a readable Parquet file"),
    "json of no object": ("t.json", b"[1, 2", "is not a readable JSON file"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken(opened, name, content, message):
    with pytest.raises(DataError) as raised:
        opened(content, path=name)
    (found,) = raised.value.diagnostics
    assert message in found.message
    assert found.location.path.endswith(name)
    assert "\n" not in found.message


def test_a_line_that_is_no_json_is_found(opened, tmp_path):
    (tmp_path / "t.ndjson").write_text('{"a":1}\n' * 20_000 + '{"a":\n')
    try:
        table = opened(path="t.ndjson")
        with pytest.raises(pl.exceptions.PolarsError):
            table.frame.collect()
        error = explain_failure([table])
    except DataError as raised:
        error = raised
    assert "JSON" in error.diagnostics[0].message


def test_missing_files(opened, tmp_path):
    (tmp_path / "orders.csv").write_text("a\n")
    (tmp_path / "sub").mkdir()
    cases = {
        "order.csv": ("there is no file `order.csv`", "did you mean `orders.csv`?"),
        "*.parquet": ("no file matches `*.parquet`", "`orders.csv`"),
        "sub": ("`sub` is a directory", "`sub/*.csv`"),
        "no/where/orders.csv": ("there is no file", "there is no folder"),
        "sub/x.csv": ("there is no file `sub/x.csv`", "holds no files"),
        "s3://bucket/x.csv": ("only local files are read", "download it"),
    }
    for path, (message, hint) in cases.items():
        with pytest.raises(DataError) as raised:
            opened(path=path)
        (found,) = raised.value.diagnostics
        assert message in found.message
        assert hint in found.hint


def test_temporary_files_are_removed(tmp_path):
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
def test_damaged_pages(opened, tmp_path, kind, place):
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
def test_names_that_polars_would_expand(opened, tmp_path, kind, name):
    frame = pl.DataFrame({"a": ["1"], name: ["2"]}, schema_overrides={name: pl.Categorical})
    write = {"csv": frame.write_csv, "parquet": frame.write_parquet, "ndjson": frame.write_ndjson}
    write.get(kind, frame.write_ipc)(tmp_path / f"t.{kind}")
    with pytest.raises(DataError) as raised:
        opened(path=f"t.{kind}")
    assert raised.value.diagnostics[0].message == f"a column cannot have the name `{name}`"
    assert "give it another name in the file" in raised.value.diagnostics[0].hint


@pytest.mark.parametrize("name", ["*", "^a.*$"])
def test_rename_gives_no_names_that_polars_would_expand(opened, name):
    with pytest.raises(DataError, match="which cannot be a name"):
        opened("a,b\n1,2\n", rename={name: "a"})


def text_file(path, packing):
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
def test_a_full_temporary_folder(tmp_path, monkeypatch, packing):
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
    assert "TMPDIR" in raised.value.diagnostics[0].hint


def test_no_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(WriteError, match="cannot make a temporary folder") as raised, Workspace():
        pass
    assert "TMPDIR" in raised.value.diagnostics[0].hint
