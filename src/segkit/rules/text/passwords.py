"""Addresses in a rule file: those that are none, and passwords in them, which are copied beside each run."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.addresses import holds_password, is_other_form
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import sources_of
from segkit.rules.text.loader import RuleSource

FORM = "as in `postgresql://HOST/NAME`, with the user before `HOST`: `USER@`"


def other_forms(rules: RuleFile) -> Iterator[Finding]:
    """An error for each source that says where a server is in another form than that of an address."""
    for _, source, path in sources_of(rules):
        if any(map(is_other_form, [source.path] if isinstance(source.path, str) else source.path)):
            yield Finding((*path, "path"), "a database is named by its address", FORM)


def literal_passwords(source: RuleSource) -> Iterator[Finding]:
    """A warning for each address with a password that no variable gives."""
    for path, (start, end) in source.index.values.items():
        if holds_password(source.text[start:end].strip("\"'")):
            message = "a password stands in this address, and a copy of the rules is kept with each run"
            yield Finding(path, message, "put it into a variable: `${PASSWORD}`", warning=True)
