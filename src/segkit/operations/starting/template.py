"""Templates: a rule file to begin with, and small data that is made up."""

from __future__ import annotations

from importlib.resources import files

from segkit.errors import RuleError

TEMPLATES = ("shop", "subscription", "leads")


def template_files(name: str) -> dict[str, bytes]:
    """Name -> content of the files of a template."""
    if name not in TEMPLATES:
        raise RuleError.of(f"there is no template `{name}`", hint=f"there are {', '.join(TEMPLATES)}")
    folder = files("segkit.operations.starting") / "templates" / name
    return {one.name: one.read_bytes() for one in sorted(folder.iterdir(), key=lambda one: one.name) if one.is_file()}
