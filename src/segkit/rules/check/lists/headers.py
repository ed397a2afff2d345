"""`[output.headers]`: names of columns that go out under another one."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.words import nearest


def check_headers(rules: RuleFile) -> Iterator[Finding]:
    """Names of nothing that is written, and two columns under one name, as far as the rules tell."""
    output = rules.output
    known = [rules.customers.key, output.label_column, *(output.columns or ())]
    known += ["variant"] if any(segment.split for segment in rules.segment.values()) else []
    shown: dict[str, str] = {output.headers.get(name, name): name for name in known if name not in output.headers}
    for name, header in output.headers.items():
        path = ("output", "headers", name)
        if not header.strip() or any(mark in header for mark in "\n\r\0"):
            yield Finding(path, "a header is one line of text, and not empty", code=codes.BAD_VALUE)
        elif name not in known and _is_left_out(rules, name):
            message = f"`{name}` is not among the columns that are written"
            yield Finding(path, message, nearest(name, known) or "take it out", code=codes.UNKNOWN_COLUMN)
        elif header in shown:
            message = f"`{shown[header]}` and `{name}` would have one header, `{header}`"
            yield Finding(path, message, "choose another one for one of the two", code=codes.NAME_TAKEN)
        shown.setdefault(header, name)
    if output.to is not None and output.headers:
        message = "`headers` is about files, and with `to` the lists go to a table"
        yield Finding(("output", "headers"), message, "take one of the two out", code=codes.CONTRADICTION)


def _is_left_out(rules: RuleFile, name: str) -> bool:
    if rules.output.columns is None:
        return name in rules.trait  # by default, the columns of the customer file go out
    return True
