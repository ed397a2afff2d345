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
from segkit.io.read.values.texts import NULL_TEXTS
from segkit.io.write import FORMATS
from segkit.io.write.cells import as_text, escaped
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.platforms import hashed_by_platform
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of
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


def known_text(text: pl.Expr, rules: RuleFile) -> pl.Expr:
    """A text that goes out in another form; missing where it is empty, or stands for a missing value.

    Columns that no rule reads still have these texts: `NULL` has a hash of its own, which would say that it is a name.
    """
    of_customers = {CUSTOMERS, rules.customers.from_, *(lookup_table(name) for name in rules.lookup)}
    given = [spec.null_values for name, spec, _ in sources_of(rules) if name in of_customers]
    nulls = {text for one in given if one != () for text in (*NULL_TEXTS, *(one or ()))}
    return pl.when(~text.str.strip_chars().is_in(["", *sorted(nulls)])).then(text)


def hidden_columns(output: Output) -> frozenset[str]:
    """The columns that go out hashed or under pseudonyms: those that `[output]` lists, and what a platform takes so.

    A key that is among them stands in clear nowhere else either, such as in members, changes and what is tracked.
    """
    return frozenset((*output.hash, *output.pseudonymise, *hashed_by_platform(output)))


def protection(output: Output, column: str) -> str | None:
    """`hash`, `pseudonymise`, or None for a column that goes out as it is."""
    if column in output.pseudonymise:
        return "pseudonymise"
    return "hash" if column in hidden_columns(output) else None


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
    known = known_text(text, rules)  # what is missing stays missing
    if protection(rules.output, name) == "hash":
        return sha256(known.str.strip_chars().str.to_lowercase())
    # Here the text is taken as it stands: `a1` and `A1` are two keys.
    return cast("pl.Expr", cast("Any", known).chash.hmac_sha256(key=os.environ[VARIABLE]))
