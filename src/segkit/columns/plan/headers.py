"""Two columns that would go out under one name, where the columns of the customer file go out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile


def header_clashes(rules: RuleFile, columns: Collection[str]) -> Iterator[Finding]:
    """A finding for each header that is the name of one of these columns, which goes out beside it."""
    headers = rules.output.headers
    if rules.output.columns is not None:
        return  # then the rules themselves tell
    for name, header in headers.items():
        if header in columns and header != name and header not in headers:
            message = f"`{name}` would have the header `{header}`, which is another column's"
            hint = f"choose another one, rename `{header}`, too, or choose `columns` without it"
            yield Finding(("output", "headers", name), message, hint, code=codes.NAME_TAKEN)
