"""The docstrings under the fields of a model.

Pydantic can collect them when a class is made, but that reads the source in every run of segkit (0.08 s). So the
schema and the reference ask here.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache

from pydantic import BaseModel

from segkit.rules.wording.shape import key_of


@cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the docstring under it, also for the fields of the bases."""
    docs: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            docs |= _docs_in(cls)
    return docs


def key_docs(model: type[BaseModel]) -> dict[str, str]:
    """Key in the file -> the docstring under its field."""
    docs = field_docs(model)
    return {key_of(name, field): docs[name] for name, field in model.model_fields.items() if name in docs}


def _docs_in(cls: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
