"""Which texts are e-mail addresses: a plain pattern, and where the extra `audit` is there, the rules for domains."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import polars as pl

_ABROAD = r"\x{a1}-\x{1fff}\x{2070}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}"
"""What is neither ASCII nor space: ranges, which are forty times as fast as a class of all letters."""
_ATOM = rf"[0-9A-Za-z!#$%&'*+/=?^_`{{|}}~{_ABROAD}-]+"
_LABEL = rf"[0-9A-Za-z{_ABROAD}]+(?:-+[0-9A-Za-z{_ABROAD}]+)*"
_LAST = rf"(?:[A-Za-z{_ABROAD}][A-Za-z{_ABROAD}]+|xn--[0-9A-Za-z-]+)"
PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LAST}$"
"""An address: no dot at an end or beside another, a domain of labels, and letters at its end."""
PLAIN, BY_RULES = "a plain pattern", "email-validator"


def checker() -> str:
    """What looks at addresses here."""
    return BY_RULES if find_spec("email_validator") else PLAIN


def is_address(text: pl.Expr, wrong_domains: Iterable[str]) -> pl.Expr:
    """Whether a text, without white space around it, is an address whose domain is none of these."""
    right, wrong = text.str.contains(PATTERN), list(wrong_domains)
    return right & ~domain_of(text).is_in(wrong) if wrong else right


def domain_of(text: pl.Expr) -> pl.Expr:
    """What stands behind the last `@`, in lower case."""
    return text.str.extract(r"@([^@]+)$").str.to_lowercase()


def wrong_domains(frame: pl.LazyFrame, texts: Iterable[pl.Expr]) -> list[str]:
    """The different domains of these texts that can be none; nothing where the extra `audit` is not there."""
    if checker() == PLAIN:
        return []
    from email_validator import EmailNotValidError, validate_email

    found: set[str] = set()
    for text in texts:
        domains = frame.select(domain_of(text.filter(text.str.contains(PATTERN))).unique().alias("domain"))
        for domain in domains.collect(engine="streaming").to_series().drop_nulls():
            try:
                validate_email(f"a@{domain}", check_deliverability=False)
            except EmailNotValidError:
                found.add(domain)
    return sorted(found)
