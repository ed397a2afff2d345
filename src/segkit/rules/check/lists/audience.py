"""`[output] audience`: what the platform takes, what it needs, and keys that mean nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.platforms import PLATFORMS, Platform
from segkit.words import listed, nearest

_OTHER_FORM = ("hash", "pseudonymise", "columns", "headers", "escape_formulas", "delimiter", "decimal", "bom")
"""Keys about the form of a list, which the platform settles."""
_OTHER_LISTS = ("changes", "combined", "workbook", "to")
"""Keys that ask for something else than whole lists of one segment in files."""


def check_audience(rules: RuleFile) -> Iterator[Finding]:
    """Everything about `audience` and `fields`."""
    output = rules.output
    if output.audience is None:
        if output.fields.given:
            message = "`fields` are of an audience, and there is no `audience`"
            hint = f'say for whom: `audience = "{next(iter(PLATFORMS))}"`; there are {listed(PLATFORMS)}'
            yield Finding(("output", "fields"), message, hint, code=codes.CONTRADICTION)
        return
    platform = PLATFORMS[output.audience]
    yield from _fields(output, platform)
    yield from _beside(output, platform)
    for name, segment in rules.segment.items():
        if segment.split and segment.write and "variant" not in segment.each:
            message = f"`split` writes a column `variant`, and {platform.title} takes none"
            hint = 'write a file for each variant: `each = "variant"`'
            yield Finding(("segment", name, "split"), message, hint, code=codes.CONTRADICTION)


def _fields(output: Output, platform: Platform) -> Iterator[Finding]:
    given = output.fields.given
    for name in given:
        if name not in platform.takes:
            message = f"{platform.title} takes no `{name}`"
            hint = nearest(name, platform.takes, "fields") or f"it takes {listed(platform.takes)}"
            yield Finding(("output", "fields", name), message, hint, code=codes.CONTRADICTION)
    ways = "; or ".join(listed(way) for way in platform.findable_by)
    if not any(set(way) <= given.keys() for way in platform.findable_by):
        message = f"{platform.title} finds nobody by these `fields`" if given else "an audience needs `fields`"
        hint = f'it needs {ways}: `[output.fields]` with `email = "COLUMN"`, say'
        at = ("output", "fields") if given else ("output", "audience")
        yield Finding(at, message, hint, code=codes.MISSING_KEY)
    if "phone" in given and "country" not in given:
        message = "`phone` needs a `country`: from each, a number is dialled otherwise"
        hint = "name its column; where all are from one: `derive = { country = \"'FR'\" }` in `[customers]`"
        yield Finding(("output", "fields", "phone"), message, hint, code=codes.MISSING_KEY)
    for way in platform.findable_by:
        own = [name for name in way if name in given and name != "country"]
        missing = [name for name in way if name not in given]
        if own and missing and any(set(other) <= given.keys() for other in platform.findable_by):
            message = f"{listed(own)} alone finds nobody: {platform.title} needs {listed(way)} together"
            hint = f"add {listed(missing)}, or take it out: what finds nobody need not go out"
            yield Finding(("output", "fields", own[0]), message, hint, code=codes.CONTRADICTION)


def _beside(output: Output, platform: Platform) -> Iterator[Finding]:
    for key in _OTHER_FORM:
        if getattr(output, key) != type(output).model_fields[key].get_default():
            message = f"`{key}` is beside `audience`: what a file looks like is settled by {platform.title}"
            yield Finding(("output", key), message, "take one of the two out", code=codes.CONTRADICTION)
    for key in _OTHER_LISTS:
        if getattr(output, key):
            message = f"`{key}` is beside `audience`: {platform.title} takes whole lists, each in a file of its own"
            yield Finding(("output", key), message, "take one of the two out", code=codes.CONTRADICTION)
    if output.format != "csv":
        message = f"{platform.title} takes CSV, and `format` is `{output.format}`"
        yield Finding(("output", "format"), message, 'take it out, or write `format = "csv"`', code=codes.CONTRADICTION)
