"""What the name of a column says of who may be written: consent, or the contrary of it."""

from __future__ import annotations

import re

from segkit.operations.personal.kinds import words_of

SAYS_YES = frozenset(
    {
        "optin", "consent", "consents", "consented", "consentement", "einwilligung", "permission", "permissions",
        "allow", "allowed", "allows", "accepts", "agreed", "subscribed",
    }
)  # fmt: skip
SAYS_NO = frozenset({"optout", "unsubscribe", "unsubscribed", "unsubscribes", "dnc"})
TWO_WORDS = {("opt", "in"): True, ("opt", "out"): False, ("do", "not"): False}
"""What is said in two words; `do not` only of a way to reach somebody."""
CHANNELS = frozenset(
    {
        "email", "mail", "mailing", "mailings", "sms", "call", "calls", "phone", "contact", "contacts", "post",
        "newsletter", "newsletters", "marketing", "disturb", "advertising", "ads", "whatsapp", "fax", "courriel",
        "werbung",
    }
)  # fmt: skip
BESIDE = frozenset({"date", "day", "time", "timestamp", "at", "on", "since", "is", "has", "flag", "to", "for", "by"})
"""Words that leave the meaning of the others as it is."""


def consents(name: str) -> bool | None:
    """Whether a yes in a column of this name is consent (True) or the contrary (False).

    None where that is left to people: each word of the name must be known, and one thing be said.
    """
    if re.search(r"[^\w\s./-]", name):
        return None  # `!consent`
    words = [word for word in words_of(name) if word not in BESIDE]
    said = tuple(word for word in words if word not in CHANNELS)
    if said in TWO_WORDS:
        return TWO_WORDS[said] if said != ("do", "not") or len(words) > len(said) else None
    if len(said) == 1:
        return True if said[0] in SAYS_YES else False if said[0] in SAYS_NO else None
    return True if not said and "newsletter" in words else None
