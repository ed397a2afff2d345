"""Segments of a rule file as building blocks of the one that is made of it: their criteria, and nothing else."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli

from segkit.operations.discovering.saved.carried import seen_from, with_zones
from segkit.operations.discovering.saved.sections import sections_of
from segkit.rules.model.blocks import Block, Standalone
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded
from segkit.rules.walk import below, blocks

_CRITERIA = frozenset({*Block.model_fields, *Standalone.model_fields, "behavioral", "label"})


def needed_segments(rules: RuleFile) -> list[str]:
    """The segments that stages and scores refer to, and those that they are made of, the parts first."""
    blocks_of = (block for path, block in blocks(rules) if path[0] != "segment")
    named = (name for block in blocks_of for name in (*block.in_segment, *block.not_in_segment))
    return list(dict.fromkeys(part for name in named for part in _made_of(rules, name)))


def building_blocks(
    loaded: Loaded, segments: Iterable[str], folder: Path, *, there: Container[str] = frozenset()
) -> list[str]:
    """The lines of segments that are not written, and of those that they are made of, but for those that are `there`.

    Paths are seen from `folder`.
    """
    written = tomli.loads(loaded.source.text, parse_float=Decimal).get("segment", {})

    def place(path: str) -> str:
        return seen_from(folder, path, loaded.source.directory)

    parts = dict.fromkeys(part for name in segments for part in _made_of(loaded.rules, name) if part not in there)
    tables = {name: _criteria(written[name]) for name in parts}
    return [*sections_of({f"segment.{name}": dict(with_zones(table, place)) for name, table in tables.items()})]


def _made_of(rules: RuleFile, segment: str) -> Iterator[str]:
    """The segment, and all that it refers to, the parts first."""
    for _, block in below(("segment", segment), rules.segment[segment]):
        for name in (*block.in_segment, *block.not_in_segment):
            yield from _made_of(rules, name)
    yield segment


def _criteria(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"write": False, **{key: value for key, value in table.items() if key in _CRITERIA}}
