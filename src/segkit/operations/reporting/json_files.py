"""What other commands have written with `--json`, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from segkit.errors import DataError

Kind = TypeVar("Kind")


def read_json(path: Path, kind: type[Kind], command: str) -> Kind:
    """The file as a dataclass, further fields aside. `DataError` where `command` has not written it."""
    hint = f"write it: `{command} > FILE`"
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except OSError as error:
        raise DataError.of(f"cannot read `{path}`: {error.strerror}", hint=hint) from error
    except ValidationError as error:
        raise DataError.of(f"`{path}` is not what `{command}` writes", hint=hint) from error
