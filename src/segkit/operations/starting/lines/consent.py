"""Columns that say whether a customer may be written, and the value that says yes: never the contrary of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from segkit.io.read.values.vocabulary.booleans import FALSE, TRUE
from segkit.operations.personal.kinds import words_of
from segkit.operations.starting.known.facts import Upper
from segkit.results import KnownColumn

SAYS_YES = frozenset(
    {
        "optin", "consent", "consents", "consented", "consentement", "einwilligung", "permission", "permissions",
        "allow", "allowed", "allows", "accepts", "agreed", "subscribed", "newsletter",
    }
)  # fmt: skip
NO_ALONE = frozenset({"optout", "unsubscribe", "unsubscribed", "unsubscribes", "dnc"})
"""Words that say no to messages, whatever stands beside them."""
SAYS_NO = NO_ALONE | {
    "not", "never", "out", "dont", "blocked", "block", "stop", "suppress", "suppressed", "suppression", "refused",
    "refuses", "objection", "objects", "exclude", "excluded", "revoked", "withdrawn", "keine", "nicht", "pas", "sans",
}  # fmt: skip
ABOUT_CONSENT = frozenset(
    {
        "suppressed", "suppression", "blacklist", "blacklisted", "blocklist", "robinson", "deceased", "verstorben",
        "décédé", "decede", "bounced", "bounce", "bounces", "complained", "complaint", "spam", "gdpr", "dsgvo", "rgpd",
        "werbesperre", "widerspruch", "widersprochen", "desabonne", "désabonné", "contacter", "sperre", "gesperrt",
        "deleted", "erased", "unsubscribed", "unsub", "unsubs", "optout", "dnc",
    }
)  # fmt: skip
"""Words of columns that say something about who may be written, whichever way: no segment is made of their values."""
CHANNELS = frozenset(
    {
        "email", "mail", "mailing", "mailings", "sms", "call", "calls", "phone", "contact", "contacts", "post",
        "newsletter", "marketing", "disturb", "advertising", "ads", "whatsapp", "fax", "courriel", "werbung",
    }
)  # fmt: skip


def consents(name: str) -> bool | None:
    """Whether a yes in a column of this name is consent (True) or the contrary (False); None where it is neither.

    A name that says no twice, such as `not_unsubscribed`, is left to people.
    """
    words = list(words_of(name))
    pairs = set(pairwise(words))
    # `no_email` says no, `no_orders` is a number.
    said_no = [word for word in words if word in SAYS_NO]
    said_no += [word for word, about in pairs if word == "no" and about in CHANNELS]
    said_yes = bool(SAYS_YES.intersection(words)) or ("opt", "in") in pairs
    if len(said_no) > 1:
        return None
    if said_no:
        about = NO_ALONE.intersection(words) or CHANNELS.intersection(words) or said_yes or ("opt", "out") in pairs
        return False if about else None
    return True if said_yes else None


def about_consent(column: KnownColumn) -> bool:
    """Whether a column, by its name or its values, says something about who may be written."""
    values = column.values.frequent if column.values and column.type == "text" else ()
    words = {*words_of(column.name), *(word for one in values for word in words_of(str(one.value)))}
    return consents(column.name) is not None or bool(words & ABOUT_CONSENT)


def requirement(column: KnownColumn, number: Upper | None) -> object:
    """What `require` asks of a column that says who may be written, so that yes is yes; None where nothing tells.

    A day says that somebody did so, and no day that nobody did.
    """
    wanted, values = consents(column.name), column.values
    if wanted is None or values is None or not values.filled:
        return None
    match column.type:
        case "boolean":
            return wanted
        case "date":
            return {"missing": not wanted}
        case "number":
            of_flags = number is not None and number.distinct <= 2 and {values.lowest, values.highest} <= {0, 1}
            return int(wanted) if of_flags else None
        case "text":
            return _word(wanted, [str(one.value) for one in values.frequent])
        case _:
            return None


def _word(wanted: bool, values: Sequence[str]) -> str | None:
    words = {value.strip().lower(): value for value in values}
    if not words.keys() <= {*TRUE, *FALSE}:
        return None
    said = TRUE if wanted else FALSE
    return next((value for word, value in words.items() if word in said), None)
