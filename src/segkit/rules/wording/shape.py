"""What the models say about themselves: the model at a place of the file, and the keys it takes."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from segkit.rules.findings import KeyPath
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import RuleFile


def key_of(name: str, field: FieldInfo) -> str:
    """The key as it stands in the file."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return alias if isinstance(alias, str) else name


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their key in the file, in the order of the model."""
    return {key_of(name, field): field for name, field in model.model_fields.items()}


def is_family(model: type[BaseModel]) -> bool:
    """Whether the model takes conditions on columns beside its own keys."""
    return model.model_config.get("extra") == "allow"


def model_at(path: KeyPath) -> type[BaseModel] | None:
    """The model of the table at `path`; None where the file has no table of keys of its own there."""
    place: Any = RuleFile
    for part in path:
        place = _step(place, part)
    return _model(place)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, directly or as what a list or table holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def _step(place: Any, part: str | int) -> Any:
    """The annotation one key or position further down."""
    model = _model(place)
    if model is not None:
        field = fields_of(model).get(str(part))
        return field.annotation if field else Condition if is_family(model) else None
    bare = _bare(place)
    if get_origin(bare) is dict and isinstance(part, str):
        return get_args(bare)[1]
    return get_args(bare)[0] if get_origin(bare) is tuple and isinstance(part, int) else None


def _model(place: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or may be."""
    bare = _bare(place)
    options = get_args(bare) if get_origin(bare) in {Union, types.UnionType} else (bare,)
    return next((option for option in options if isinstance(option, type) and issubclass(option, BaseModel)), None)


def _bare(place: Any) -> Any:
    """The annotation without `Annotated` and `| None`."""
    while True:
        if get_origin(place) is Annotated:
            place = get_args(place)[0]
            continue
        options = [option for option in get_args(place) if option is not types.NoneType]
        if get_origin(place) in {Union, types.UnionType} and len(options) == 1:
            place = options[0]
            continue
        return place
