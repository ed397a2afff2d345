"""Which columns tell of people what the law protects most: by their names, in a few languages."""

from __future__ import annotations

import re
import unicodedata

from segkit.operations.personal.kinds import kind_of, words_of

SPECIAL = {
    "health": r"health|disease|illness|diagnosis|medical|medications?|disab(led|ility)|handicap(ped)?|pregnan(t|cy)|"
    r"allerg(y|ies|ic)|diabet(es|ic)|smoker|blood (type|group)|sante|maladie|gesundheit|krankheit|"
    r"(schwer)?behinder(t|ung)|salud|enfermedad",
    "religion": r"religio(n|us)|faith|church|konfession|kirche|kirchensteuer|confession religieuse",
    "ethnic origin": r"ethnic|ethnicity|ethnie|racial|tribe|caste|indigenous|skin colou?r|hautfarbe|^race$|etnia",
    "politics": r"politics|political|politique|politisch|party affiliation|voting intention",
    "trade union": r"(trade|labou?r) union|union member(ship)?|gewerkschaft|syndicat",
    "sexual life": r"sexual|sexuality|sexuelle|sexuell|lgbtq?i?a?",
    "body": r"genetic|genome|dna|biometric|fingerprint",
}
"""Kind -> pattern for names, in words: the special categories of personal data (GDPR, article 9)."""
GROUNDS = {
    "gender": r"gender|sex|sexe|sexo|geschlecht|genero|salutation|anrede|civilite|pronouns?|^(is )?(fe)?male$|"
    r"^titel$|^title$|^(name )?prefix$",
    "age": r"^((customer|client|person|contact) )?age( (years?|in years|group|band|range|class|bracket))?$|"
    r"age group|alter|altersgruppe|tranche d age|edad|^(is )?seniors?$|senior citizen|pensioner|retired",
    "family": r"marital|married|marriage|spouse|^partner$|family(?! name)|familienstand|situation familiale|"
    r"(etat|estado|stato) civil[e]?|civil status|child|children|kids?|kid ?home|teen ?home|teen(ager)?s?|dependents?|"
    r"kinder|enfants|hijos|household size|nombre d enfants",
    "nationality": r"nationality|nationalite|citizenship|staatsangehorigkeit|nacionalidad|country of birth|"
    r"birth ?(country|place)|place of birth|mother tongue|native language",
}
"""Kind -> pattern for names: what laws against discrimination forbid to choose by, for some offers."""


def special_kind(name: str) -> str | None:
    """The special category of personal data that a column of this name has; None where the name tells nothing."""
    return _kind(name, SPECIAL)


def ground(name: str) -> str | None:
    """The ground of discrimination that a column of this name tells; None where the name tells nothing."""
    return _kind(name, GROUNDS) or ("age" if kind_of(name) == "birth date" else None)


def _kind(name: str, patterns: dict[str, str]) -> str | None:
    text = unicodedata.normalize("NFKD", " ".join(words_of(name))).encode("ascii", "ignore").decode()
    return next((kind for kind, found in patterns.items() if re.search(rf"(^| )({found})( |$)", text)), None)
