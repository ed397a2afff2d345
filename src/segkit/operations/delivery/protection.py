"""Personal data that goes out in another form: hashed, or under a pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any, cast

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError
from segkit.io.write.cells import as_text, escaped
from segkit.operations.delivery.runs import KeyForm
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.text.loader import Loaded

VARIABLE = "SEGKIT_PSEUDONYMISE_KEY"
"""The environment variable with the key of the pseudonyms: it stands in no file, and segkit shows it nowhere."""
SHORTEST = 32
"""The fewest bytes of a key: as many as SHA-256 gives."""
_HINT = f"make one with `openssl rand -hex 32`, keep it safe, and put it into `{VARIABLE}`"


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
    return escaped(shown) if output.escape_formulas and output.format in ("csv", "tsv") else shown


def key_form(rules: RuleFile) -> KeyForm:
    """How the files show the keys; a fingerprint, from which nobody gets the secret, tells whether it is the same."""
    output, key = rules.output, rules.customers.key
    how = protection(output, key)
    secret = None
    if how == "pseudonymise":
        secret = hmac.new(os.environ[VARIABLE].encode(), b"segkit: fingerprint", hashlib.sha256).hexdigest()[:16]
    return KeyForm(key, how, secret, output.escape_formulas and output.format in ("csv", "tsv"))


def _protected(column: pl.Expr, dtype: pl.DataType, rules: RuleFile, name: str) -> pl.Expr:
    import polars_hash as _  # noqa: F401 - adds `chash` to expressions; only those who hash need it

    text = as_text(column, dtype, rules.customers.lists.get(name, "|"))
    trimmed = text.str.strip_chars()
    known = pl.when(trimmed != "")  # what is missing stays missing
    if name in rules.output.hash:
        return cast("pl.Expr", cast("Any", known.then(trimmed.str.to_lowercase())).chash.sha2_256())
    # Here the text is taken as it stands: `a1` and `A1` are two keys.
    return cast("pl.Expr", cast("Any", known.then(text)).chash.hmac_sha256(key=os.environ[VARIABLE]))
