"""Delta tables as other writers make them: what deltalake does not write itself is put into the log by hand."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
DELETIONS = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}
DELETIONS |= {"writerFeatures": ["deletionVectors"]}


def commit(table: Path, version: int, *actions: dict[str, Any], at: int = 0) -> None:
    """A version of the log with these actions, written at a time in milliseconds."""
    info = {"commitInfo": {"timestamp": at, "operation": "WRITE", "operationParameters": {}}}
    lines = (json.dumps(action) for action in (info, *actions))
    (table / "_delta_log" / f"{version:020}.json").write_text("\n".join(lines), encoding="utf-8")


def actions(table: Path, kind: str, version: int = 0) -> list[dict[str, Any]]:
    """What a version of the log says of one kind, such as `add`."""
    lines = (table / "_delta_log" / f"{version:020}.json").read_text(encoding="utf-8").splitlines()
    return [action[kind] for action in map(json.loads, lines) if kind in action]


def with_protocol(table: Path, protocol: dict[str, Any], **configuration: str) -> None:
    """One more version, in which the table asks this of its readers."""
    [metadata] = actions(table, "metaData")
    metadata["configuration"] |= {name.replace("_", "."): value for name, value in configuration.items()}
    schema = json.loads(metadata["schemaString"])
    for number, field in enumerate(schema["fields"] if configuration else ()):
        field["metadata"] = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
    metadata["schemaString"] = json.dumps(schema)
    commit(table, 1, {"protocol": protocol}, {"metaData": metadata})


def delete(table: Path, rows: Sequence[int], version: int = 1) -> None:
    """One more version, in which these rows of the first file are deleted and the file stays as it is."""
    vector = _vector(rows)
    add = actions(table, "add")[0]
    removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    descriptor = {
        "storageType": "i",
        "pathOrInlineDv": _z85(vector),
        "sizeInBytes": len(vector),
        "cardinality": len(rows),
    }
    commit(table, version, {"protocol": DELETIONS}, {"remove": removed}, {"add": {**add, "deletionVector": descriptor}})


def _vector(rows: Sequence[int]) -> bytes:
    """A set of row numbers below 65,536 as the protocol of Delta stores it: one bitmap of one array."""
    array = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + struct.pack(f"<{len(rows)}H", *sorted(rows))
    vector = struct.pack("<iQI", 1681511377, 1, 0) + array
    return vector + b"\0" * (-len(vector) % 4)


def _z85(content: bytes) -> str:
    text = ""
    for at in range(0, len(content), 4):
        number = int.from_bytes(content[at : at + 4], "big")
        text += "".join(_LETTERS[number // 85**place % 85] for place in (4, 3, 2, 1, 0))
    return text


def written(rows: pl.DataFrame, table: Path, *partitions: str, mode: Any = "error") -> Path:
    """The rows as a Delta table, with a folder for each value of the partitions."""
    rows.write_delta(str(table), mode=mode, delta_write_options={"partition_by": [*partitions]} if partitions else {})
    return table
