from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segkit.io.read import Table, Workspace, open_table
from segkit.rules.model.sources import Source
from tests.unit.io.read.fixture_types import Opener


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as ws:
        yield ws


@pytest.fixture
def opened(workspace: Workspace, tmp_path: Path) -> Opener:
    """Opens a table; `content` is first written to the file that `path` names."""

    def open_it(
        content: str | bytes | None = None,
        path: str = "data.csv",
        *,
        timezone: str = "UTC",
        time_columns: tuple[str, ...] = (),
        base: Path = tmp_path,
        **source: object,
    ) -> Table:
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (base / path).write_bytes(data)
        spec = Source.model_validate({"path": path, **source})
        return open_table(workspace, "data", spec, base=base, timezone=timezone, time_columns=time_columns)

    return open_it
