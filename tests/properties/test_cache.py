"""Texts that are kept as Parquet from one run to the next: the same bytes and words as of the texts themselves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from .files import Case
from .strategies import cases
from .test_buckets import applied
from .test_oracle import examples


@pytest.mark.extra("predict")
@examples(12)
@given(cases(), st.booleans())
def test_everything(case: Case, in_buckets: bool) -> None:
    """The first run makes the entries, the second one reads them."""
    note(case.show())
    options = ("--buckets", "3") if in_buckets else ()
    with (
        tempfile.TemporaryDirectory() as name,
        patch("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 0),
        patch("segkit.io.read.text.kept.YOUNG", 0),
    ):
        directory = Path(name)
        case.write(directory)
        whole = applied(directory, *options)
        for _ in range(2):
            assert applied(directory, *options, "--cache", "kept") == whole
