"""What the log says of a run that is interrupted once its lists are in their place."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest

from tests.desk import Desk, head


def interrupt(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("keep", ["", "keep = 2\n"])
def test_interrupted_once_it_was_published(desk: Desk, monkeypatch: pytest.MonkeyPatch, keep: str) -> None:
    """It is published, and the log says where."""
    late = "segkit.io.publish.kept_runs._prune" if keep else "segkit.operations.apply.report_after"
    monkeypatch.setattr(late, interrupt)
    desk.put("c.csv", "id,town\na,Brest\n")
    rules = f'{head()}[output]\ndirectory = "out"\n{keep}[segment.all]\neveryone = true\n'
    done = desk.apply(rules, "--log", desk / "log", "--report", desk / "r.html", code=130)
    line = json.loads((desk / "log").read_text())
    assert (line["outcome"], line["exit_code"]) == ("published", 130)
    assert f"interrupted, once the lists were published: `{line['directory']}`" in done.stderr
    assert (desk.folder / line["directory"] / "all.csv").exists()
