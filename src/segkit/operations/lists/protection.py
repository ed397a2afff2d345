"""Personal data that goes out in another form: hashed, or under a pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any, NamedTuple, cast

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError, RuleError
from segkit.io.write import FORMATS
from segkit.io.write.cells import as_text, escaped
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.platforms import PLATFORMS
from segkit.rules.text.loader import Loaded

VARIABLE = "SEGKIT_PSEUDONYMISE_KEY"
"""The environment variable with the key of the pseudonyms: it stands in no file, and segkit shows it nowhere."""
SHORTEST = 32
"""The fewest bytes of a key: as many as SHA-256 gives."""
_HINT = f"make one with `openssl rand -hex 32`, keep it safe, and put it into `{VARIABLE}`"


class KeyForm(NamedTuple):
    """How a run shows the keys.

    `column` is the column that they are of, `protection` is `hash`, `pseudonymise` or None, `secret` is a fingerprint
    of the secret of pseudonyms, and `escaped` says whether formulas are escaped.
    """

    column: str
    protection: str | None
    secret: str | None
    escaped: bool

    def require_same(self, other: KeyForm, this: str, that: str) -> None:
        """`DataError` where the two runs do not write the key of the same customer in the same way."""
        if self == other:
            return
        if self.column != other.column:
            said = f"{this} has those of column `{self.column}`, {that} of `{other.column}`"
        elif self.protection != other.protection:
            words = {None: "as they are", "hash": "hashed", "pseudonymise": "under pseudonyms"}
            said = f"{this} has them {words[self.protection]}, {that} {words[other.protection]}"
        elif self.secret != other.secret:
            said = f"the pseudonyms of {this} and of {that} are made with two secrets"
        else:
            said = "only one of the two runs has `escape_formulas`"
        hint = "compare runs with one key, the same `hash`, `pseudonymise` and `escape_formulas`"
        raise DataError.of(f"the keys cannot be compared: {said}", hint=hint)


def require_secret(loaded: Loaded) -> None:
    """RuleError where pseudonyms are asked for and the key is absent or short."""
    if not loaded.rules.output.pseudonymise:
        return
    length = len(os.environ.get(VARIABLE, "").encode())
    if length >= SHORTEST:
        return
    what = f"`{VARIABLE}` holds {length} bytes: a key needs {SHORTEST}" if length else f"`{VARIABLE}` is not set"
    message = f"`pseudonymise` needs a key, and {what}"
    raise RuleError(Diagnostic(message, loaded.source.at("output", "pseudonymise"), _HINT))


def protection(output: Output, column: str) -> str | None:
    """`hash`, `pseudonymise`, or None for a column that goes out as it is."""
    return "hash" if column in output.hash else "pseudonymise" if column in output.pseudonymise else None


def shown_as(output: Output, column: str) -> str | None:
    """How a column goes out: as `protection` says, or hashed since a platform takes it so."""
    platform = PLATFORMS.get(output.audience or "")
    of_platform = platform.columns if platform else {}
    hashed = {name for field, name in output.fields.given.items() if field in of_platform and of_platform[field].hashed}
    return "hash" if column in hashed else protection(output, column)


def protected(rows: pl.LazyFrame, rules: RuleFile) -> pl.LazyFrame:
    """The rows as they are to be written: columns that `[output]` lists are hashed or under pseudonyms."""
    output = rules.output
    if not (output.hash or output.pseudonymise):
        return rows
    schema = rows.collect_schema()
    chosen = [name for name in schema if protection(output, name)]
    return rows.with_columns(_protected(pl.col(n), schema[n], rules, n).alias(n) for n in chosen)


def written_key(rules: RuleFile) -> pl.Expr:
    """The key of a customer as the files show it."""
    output, key = rules.output, rules.customers.key
    shown = _protected(pl.col(KEY), pl.String(), rules, key) if protection(output, key) else pl.col(KEY)
    return escaped(shown) if _escapes(output) else shown


def key_form(rules: RuleFile) -> KeyForm:
    """How the files show the keys; a fingerprint, from which nobody gets the secret, tells whether it is the same."""
    output, key = rules.output, rules.customers.key
    how = protection(output, key)
    secret = None
    if how == "pseudonymise":
        secret = hmac.new(os.environ[VARIABLE].encode(), b"segkit: fingerprint", hashlib.sha256).hexdigest()[:16]
    return KeyForm(key, how, secret, _escapes(output))


def _escapes(output: Output) -> bool:
    """Whether the files hold formulas as text."""
    return output.escape_formulas and FORMATS[output.format].cells and FORMATS[output.format].runs_formulas


def sha256(text: pl.Expr) -> pl.Expr:
    """The SHA-256 of the text in UTF-8, as 64 hexadecimal digits."""
    import polars_hash as _  # noqa: F401 - adds `chash` to expressions; only those who hash need it

    return cast("pl.Expr", cast("Any", text).chash.sha2_256())


def _protected(column: pl.Expr, dtype: pl.DataType, rules: RuleFile, name: str) -> pl.Expr:
    import polars_hash as _  # noqa: F401 - adds `chash` to expressions; only those who hash need it

    text = as_text(column, dtype, rules.customers.lists.get(name, "|"))
    trimmed = text.str.strip_chars()
    known = pl.when(trimmed != "")  # what is missing stays missing
    if name in rules.output.hash:
        return sha256(known.then(trimmed.str.to_lowercase()))
    # Here the text is taken as it stands: `a1` and `A1` are two keys.
    return cast("pl.Expr", cast("Any", known.then(text)).chash.hmac_sha256(key=os.environ[VARIABLE]))
