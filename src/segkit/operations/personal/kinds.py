"""Which columns hold personal data: by their names, and by how their values look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import polars as pl

from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE

NAMES = {
    "e-mail": r"e?mail|courriel|correo",
    "phone": r"phone|tel|telefone?|telephone|telefon|telefono|mobile|handy|cell|fax|portable",
    "name": r"(first|last|given|family|middle|sur|full|user|nick|maiden|customer)? ?name|nom|prenom|vorname|nachname|"
    r"(vor|nach|kunden)name|nombre|apellidos?|cognome|contact (name|person)|(?<![a-z] )contact(?! [a-z])|"
    r"ansprechpartner(in)?|(konto)?inhaber(in)?|account holder|initials|maiden",
    "birth date": r"birth ?(date|day)?|bday|date of birth|(date )?(de )?naissance|nee? le|dob|born|geb|"
    r"geburts(datum|tag|jahr)|nacimiento|nascita",
    "network address": r"ip|ip address|mac address|device id|cookie ?(id)?",
    "address": r"address|adresse|anschrift|street|rue|strasse|straße|calle|indirizzo|house ?(number|no)",
    "postcode": r"post ?(al)? ?code|zip ?(code)?|plz|code postal|cp|cap",
    "coordinates": r"lat|lon|lng|latitude|longitude|coordinates|gps",
    "bank or card": r"iban|bic|kto|konto ?(nummer|nr)?|card ?(number|no)?|account ?(number|no)|pan",
    "official number": r"ssn|nir|passport ?(number|no)?|tax ?(id|number)|national id|social security number|siret|"
    r"(steuer|pass|ausweis|sv|sozialversicherungs) ?(id|nr|no|nummer)",
}
"""Kind of data -> pattern for the names of such columns, in words."""
OF_THINGS = (
    r"(^| )(brand|campaign|category|company|event|file|model|plan|product|segment|store|subcategory)s? name( |$)"
)
"""Names that are not a person's."""
CONSENT = (
    r"opt|optin|optout|consent|consents|consented|consentement|einwilligung|permission|allow|allowed|accepts?|accepted|"
    r"agreed|subscribed|unsubscribed|subscription|newsletter|ok|status|flag|verified|confirmed|valid|bounced"
)
"""Words in names of columns that say something about a way to reach somebody, and are none."""
REACHES = {"e-mail": r"@", "phone": r"^\D{0,4}(?:\d[ ().\\/-]*){6,}$"}
"""Kind of data -> pattern that a value which reaches somebody has, be it in a column with such a name."""
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
LOOKS_SO = 0.5
"""The share of the values that is enough."""


def kind_told(name: str, says_yes_or_no: Callable[[], bool], reaches: Callable[[str], bool]) -> str | None:
    """The kind that the name of a column tells, unless its values only say yes or no to a way to reach somebody.

    `says_yes_or_no` tells whether all values do, `reaches` whether some value reaches somebody in the way of a kind.
    """
    kind = kind_of(name)
    if kind is None or (kind != "name" and says_yes_or_no()):  # T and N may be initials
        return None
    of_consent = kind in REACHES and re.search(rf"(^| )({CONSENT})( |$)", " ".join(words_of(name)))
    return kind if not of_consent or reaches(kind) else None


def kind_of(name: str) -> str | None:
    """The kind of personal data in a column of this name; None where the name tells nothing."""
    words = re.sub(OF_THINGS, " ", " ".join(words_of(name)))
    return next((kind for kind, pattern in NAMES.items() if re.search(rf"(^| )({pattern})( |$)", words)), None)


def words_of(name: str) -> Iterator[str]:
    """The words of a name in lower case, whether it is `EmailAddress`, `email_address` or `E-Mail`."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("E-", "e").replace("e-", "e"))
    yield from re.sub(r"[\W_\d]+", " ", plain).lower().replace("é", "e").replace("ó", "o").split()


def yes_or_no(column: pl.Expr) -> pl.Expr:
    """Whether all known values only say yes or no."""
    return _lower(column).is_in([*TRUE, *FALSE]).all()


def reaching(column: pl.Expr, kind: str) -> pl.Expr:
    """Whether some value reaches somebody in the way of `kind`."""
    words = _lower(column)
    return words.filter(~words.str.contains(DAY)).str.contains(REACHES.get(kind, "")).any()


def kind_seen(known: int, looks: Mapping[str, int]) -> str | None:
    """The kind that enough of the `known` values look like; of two, the last; `looks` counts them by kind."""
    kinds = [kind for kind, number in looks.items() if known and number >= LOOKS_SO * known]
    return kinds[-1] if kinds else None


def _lower(column: pl.Expr) -> pl.Expr:
    return column.drop_nulls().cast(pl.String).str.strip_chars().str.to_lowercase()
