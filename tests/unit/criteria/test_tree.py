"""The tree of a block folds into the expression that the criteria are, for every rule file that ships with segkit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segkit.criteria import blocks
from segkit.criteria.blocks import block_tree
from segkit.criteria.conditions import holds, wanted_kind
from segkit.criteria.context import Context, Names
from segkit.criteria.kinds import Dtypes
from segkit.criteria.places import is_near
from segkit.criteria.sql.expressions import sql_expression
from segkit.criteria.sql.parse import SqlProblem, sql_columns
from segkit.criteria.tree import Leaf, Member, On, fold, leaves
from segkit.io.write import FORMATS
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Block
from segkit.rules.text.loader import load_rules_text
from segkit.rules.walk import below, named_blocks
from tests.desk import ROOT

TYPES: dict[str | None, pl.DataType] = {
    "text": pl.String(), "number": pl.Float64(), "date": pl.Date(), "boolean": pl.Boolean(),
    "list": pl.List(pl.String), None: pl.String(),
}  # fmt: skip
RULE_FILES = sorted(
    path
    for folder in ("examples", "configs", "tests/cases/valid")
    for path in (ROOT / folder).rglob("*.toml")
    if "[segment." in path.read_text(encoding="utf-8")
)
NAMES = Names(
    event_condition=lambda condition: pl.col(repr(condition)),
    segment=lambda name: pl.col(f"in {name}"),
    latitude="latitude",
    longitude="longitude",
)


ENV = {"CITY": "Nantes", "EMPTY": ""}


class Everywhere(dict[Any, Any]):
    """A zone for every name: the name itself."""

    def __missing__(self, key: Any) -> Any:
        return key


CONTEXT = Context(dt.date(2024, 3, 31), share=lambda share: pl.col(repr(share)), zones=Everywhere())


@pytest.fixture(autouse=True)
def zones_that_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two functions of Python are never equal, so zones are columns here."""
    monkeypatch.setattr(blocks, "is_inside", lambda area, *coordinates: pl.col(f"in {area!r} by {coordinates}"))


def written_out(block: Block, schema: Dtypes) -> pl.Expr:
    """The criteria of a block as one expression, by hand."""
    parts = [holds(column, schema[column], condition, CONTEXT) for _, column, condition in block.criteria()]
    places = ("latitude", "longitude")
    if block.geographic.near:
        parts.append(pl.any_horizontal([is_near(near, *places) for near in block.geographic.near]))
    if block.geographic.inside:
        parts.append(pl.any_horizontal([pl.col(f"in {zone!r} by {places}") for zone in block.geographic.inside]))
    parts += [pl.col(repr(condition)) for condition in block.behavioural.did]
    parts += [~pl.col(repr(condition)) for condition in block.behavioural.did_not]
    parts += [pl.col(f"in {name}") for name in block.in_segment]
    parts += [~pl.col(f"in {name}") for name in block.not_in_segment]
    if block.sql is not None:
        parts.append(sql_expression(block.sql, schema, CONTEXT.as_of).fill_null(False))
    if block.any:
        parts.append(pl.any_horizontal([written_out(inner, schema) for inner in block.any]))
    parts += [written_out(inner, schema) for inner in block.all]
    if block.none:
        parts.append(~pl.any_horizontal([written_out(inner, schema) for inner in block.none]))
    return pl.all_horizontal(parts or [pl.lit(True)])


def made_up(block: Block) -> Dtypes:
    """Types of columns that fit the conditions and the SQL of a block."""
    schema: Dtypes = {}
    for _, inner in below((), block):
        schema |= {column: TYPES[wanted_kind(condition)] for _, column, condition in inner.criteria()}
    texts = [inner.sql for _, inner in below((), block) if inner.sql is not None]
    free = sorted({name for text in texts for name in sql_columns(text)} - schema.keys())
    for types in product([TYPES["number"], TYPES["text"], TYPES["date"], TYPES["boolean"]], repeat=len(free)):
        tried = {**schema, **dict(zip(free, types, strict=True))}
        try:
            for text in texts:
                pl.LazyFrame(schema=tried).select(sql_expression(text, tried, CONTEXT.as_of)).collect_schema()
        except (SqlProblem, pl.exceptions.PolarsError):
            continue
        return tried
    raise AssertionError(texts)


def shipped() -> Iterator[Any]:
    for path in RULE_FILES:
        for at, block in named_blocks(load(path)):
            yield pytest.param(at, block, id=f"{path.parent.name}/{path.stem}:{'.'.join(map(str, at))}")


def load(path: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        return load_rules_text(path.read_text(encoding="utf-8"), path.name, formats=tuple(FORMATS), env=ENV).rules


@pytest.mark.parametrize(("at", "block"), list(shipped()))
def test_the_tree_folds_into_what_is_written(at: KeyPath, block: Block) -> None:
    schema = made_up(block)
    tree = block_tree(block, at, schema, NAMES, CONTEXT)
    assert fold(tree).meta.eq(written_out(block, schema))
    for leaf in leaves(tree):
        assert leaf.path[: len(at)] == at
        there: Any = block
        for key in leaf.path[len(at) :]:
            there = under(there, key)
        assert_asked(leaf, there)


def under(there: Any, key: Any) -> Any:
    """What stands under a key of a model, a table of columns or a list."""
    if isinstance(there, (tuple, dict)):
        return there[key]
    columns = getattr(there, "columns", {})
    return columns[key] if key in columns else getattr(there, key)


def assert_asked(leaf: Leaf, there: Any) -> None:
    match leaf.asked:
        case On():
            assert there == leaf.asked.condition
        case Member():
            assert leaf.asked.segment in there
        case _:
            assert there in (leaf.asked, getattr(leaf.asked, "text", None))


def test_there_are_many() -> None:
    assert len(list(shipped())) > 80
