"""The sha256 of what is read: whole, unless the run ends before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from segkit.io.read.text.encoding import CHUNK
from segkit.operations.delivery.digests import Digests, digest


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 1])
def test_a_digest_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * size)
    assert digest(path) == hashlib.sha256(b"x" * size).hexdigest()


def test_a_run_that_ends_early_does_not_wait_for_the_rest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 2 * CHUNK)
    turns = iter([False, True])
    assert digest(path, lambda: next(turns)) == hashlib.sha256(b"x" * CHUNK).hexdigest()
    digests = Digests()
    digests.start(path)
    digests.close()
    with pytest.raises(RuntimeError):
        digests.start(tmp_path / "another")
