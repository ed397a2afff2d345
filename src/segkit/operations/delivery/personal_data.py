"""Which columns hold personal data, by their names and by how their values look."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from segkit.columns.helpers import KEY
from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE
from segkit.operations.delivery.manifest import PersonalColumn
from segkit.operations.lists.protection import protection
from segkit.rules.model.file import RuleFile

NAMES = {
    "e-mail": r"e?mail|courriel|correo",
    "phone": r"phone|tel|telefone?|telephone|telefon|telefono|mobile|handy|cell|fax|portable",
    "name": r"(first|last|given|family|middle|sur|full|user|nick|maiden|customer)? ?name|nom|prenom|vorname|nachname|"
    r"(vor|nach)name|nombre|apellidos?|cognome",
    "birth date": r"birth ?(date|day)?|date of birth|(date )?(de )?naissance|dob|born|geburts(datum|tag)|nacimiento",
    "network address": r"ip|ip address|mac address|device id|cookie ?(id)?",
    "address": r"address|adresse|street|rue|strasse|straße|calle|indirizzo|house ?(number|no)",
    "postcode": r"post ?(al)? ?code|zip ?(code)?|plz|code postal|cp|cap",
    "coordinates": r"lat|lon|lng|latitude|longitude|coordinates|gps",
    "bank or card": r"iban|bic|card ?(number|no)?|account ?(number|no)|pan",
    "official number": r"ssn|nir|passport ?(number|no)?|tax ?(id|number)|national id|social security number|siret",
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
VALUES = {"e-mail": r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "phone": r"^\+[0-9][0-9 ().-]{6,18}$"}
"""Kind of data -> pattern for the values of such a column."""
SAMPLE = 1_000
LOOKS_SO = 0.5
"""The share of the values in the sample that is enough."""


def personal_data(rules: RuleFile, columns: Sequence[str], customers: pl.DataFrame) -> tuple[PersonalColumn, ...]:
    """The columns with personal data among those written: `column`, `kind`, and `protection` where there is one.

    The key tells one customer from another, so it is always among them.
    """
    output, key = rules.output, rules.customers.key
    looks = _looks(customers.head(SAMPLE), [name for name in columns if name in customers.columns])
    kinds = {key: kind_of(key) or _looks(customers.head(SAMPLE), [KEY]).get(KEY) or "key"}
    kinds |= {name: kind for name in columns if (kind := _named(name, customers) or looks.get(name))}
    kinds |= {name: "other" for name in columns if name not in kinds and protection(output, name)}
    return tuple(PersonalColumn(column=n, kind=k, protection=protection(output, n)) for n, k in kinds.items())


def is_personal(name: str, values: pl.Series) -> bool:
    """Whether a column of this name, with these values among others, has data of people."""
    frame = values.to_frame(name)
    return bool(_named(name, frame) or _looks(frame.head(SAMPLE), [name]))


def _named(name: str, customers: pl.DataFrame) -> str | None:
    """The kind that the name of a column tells, unless its values only say yes or no to a way to reach somebody."""
    kind = kind_of(name)
    if kind is None or name not in customers.columns:
        return kind
    values = customers[name]
    if values.dtype.is_nested() or not values.count():
        return kind
    # Most columns with such a name hold no yes and no: a look at the first ones tells, all would take 0.03 s each.
    if kind != "name" and _says_yes_or_no(values.head(SAMPLE)) and _says_yes_or_no(values):  # T and N may be initials
        return None
    of_consent = kind in REACHES and re.search(rf"(^| )({CONSENT})( |$)", " ".join(_words(name)))
    if not of_consent:
        return kind
    words = _lower(values)
    reaches = words.filter(~words.str.contains(DAY)).str.contains(REACHES.get(kind, "")).any()
    return kind if reaches else None


def _says_yes_or_no(values: pl.Series) -> bool:
    return bool(_lower(values).is_in([*TRUE, *FALSE]).all())


def _lower(values: pl.Series) -> pl.Series:
    return values.drop_nulls().cast(pl.String).str.strip_chars().str.to_lowercase()


def kind_of(name: str) -> str | None:
    """The kind of personal data in a column of this name; None where the name tells nothing."""
    words = re.sub(OF_THINGS, " ", " ".join(_words(name)))
    return next((kind for kind, pattern in NAMES.items() if re.search(rf"(^| )({pattern})( |$)", words)), None)


def _words(name: str) -> Iterator[str]:
    """The words of a name in lower case, whether it is `EmailAddress`, `email_address` or `E-Mail`."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("E-", "e").replace("e-", "e"))
    yield from re.sub(r"[\W_\d]+", " ", plain).lower().replace("é", "e").replace("ó", "o").split()


def _looks(sample: pl.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for name in columns:
        values = sample[name]
        if values.dtype == pl.String:
            for kind, pattern in VALUES.items():
                known = values.drop_nulls().str.strip_chars()
                if len(known) and known.str.contains(pattern).sum() >= LOOKS_SO * len(known):
                    kinds[name] = kind
    return kinds
