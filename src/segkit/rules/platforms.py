"""What advertising platforms take of a list of customers: header, normal form, hash, limits; one table for each.

As public help pages said, in the copies that were looked at in November 2026. None of it was tried against a platform.

Google Ads
- https://support.google.com/google-ads/answer/7659867 and /7476159 (undated): the header, CSV in UTF-8 and not in
  UTF-16, the four columns of a postal match, what is hashed; https://g.co/wudy8r, its template: small letters, no
  space too many
- https://developers.google.com/data-manager/api/devguides/concepts/formatting (undated): dots and `+` of Gmail,
  titles such as "Mrs." and suffixes such as "Jr." left out, E.164, countries as in ISO 3166-1
- https://support.google.com/google-ads/answer/6276125 (an old copy): 5 GB a file; /7476585 (as since December
  2024): at least 100 active users

Meta
- https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences
  (updated on 28 April 2026): hashes
- https://www.facebook.com/business/help/2082575038703844 (undated, a copy elsewhere): headers, main identifiers,
  lists of fewer than 100 people; no limit of a file is named
- normal forms, as makers of connectors quote them: the page `data_normalization` of the Facebook connector in
  https://help.hcl-software.com/unica (12.1.7), and Twilio Segment's page of Facebook Custom Audiences

TikTok
- https://ads.tiktok.com/help/article/how-to-create-a-custom-audience-with-a-customer-file (September 2025): CSV,
  less than 1 GB, at least 1,000 entries, one line an identifier, small letters without spaces, E.164 with `+`. The
  hash that it shows for an e-mail is that of this form; the one for a phone number is of no form that it describes
- list-of-supported-ids-and-formats-for-a-customer-file, beside it (August 2025), wants no `+` before a number, and
  nothing behind a `+` in an e-mail; the younger page is followed here
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from segkit.rules.model.file import Output

Form = Literal[
    "email",
    "gmail",
    "e164",
    "digits",
    "person",
    "letters",
    "word",
    "postcode",
    "short postcode",
    "country",
    "small country",
]
"""Names of the normal forms; `operations/lists/forms.py` makes them."""


class Identifier(NamedTuple):
    """A column of a platform's file: its header, the normal form of its values, and whether these are hashed."""

    header: str
    form: Form
    hashed: bool = True


class Platform(NamedTuple):
    """What a platform takes.

    `columns` are those of the file, in its order, by their key in `[output.fields]`. A customer can be found by each of
    `findable_by`, whose fields are all needed. `fewest` is the smallest list that the platform works with; a file has
    less than `most_bytes`, where that is known. With `one_a_line`, each identifier has a line of its own.
    """

    title: str
    columns: Mapping[str, Identifier]
    findable_by: tuple[tuple[str, ...], ...]
    fewest: int
    most_bytes: int | None = None
    one_a_line: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """The fields that it takes; a country also tells how a phone number is to be read."""
        return tuple(dict.fromkeys((*self.columns, "country")))


PLATFORMS: dict[str, Platform] = {
    "google-ads": Platform(
        title="Google Ads",
        columns={
            "email": Identifier("Email", "gmail"),
            "phone": Identifier("Phone", "e164"),
            "first_name": Identifier("First Name", "person"),
            "last_name": Identifier("Last Name", "person"),
            "country": Identifier("Country", "country", hashed=False),
            "zip": Identifier("Zip", "postcode", hashed=False),
        },
        findable_by=(("email",), ("phone",), ("first_name", "last_name", "country", "zip")),
        fewest=100,
        most_bytes=5_000_000_000,
    ),
    "meta": Platform(
        title="Meta",
        columns={
            "email": Identifier("email", "email"),
            "phone": Identifier("phone", "digits"),
            "first_name": Identifier("fn", "letters"),
            "last_name": Identifier("ln", "letters"),
            "city": Identifier("ct", "word"),
            "state": Identifier("st", "word"),
            "zip": Identifier("zip", "short postcode"),
            "country": Identifier("country", "small country"),
        },
        findable_by=(("email",), ("phone",), ("first_name", "last_name")),
        fewest=100,
    ),
    "tiktok": Platform(
        title="TikTok",
        columns={"email": Identifier("Email_SHA256", "email"), "phone": Identifier("Phone_SHA256", "e164")},
        findable_by=(("email",), ("phone",)),
        fewest=1_000,
        most_bytes=1_000_000_000,
        one_a_line=True,
    ),
}
"""The name of a platform in `[output] audience` -> what it takes."""

_OF_MANY = ("city", "state")
"""Fields that name no customer alone, though a platform takes them hashed."""


def hashed_by_platform(output: Output, *, names_one: bool = False) -> frozenset[str]:
    """The columns that go out hashed since a platform takes them so; with `names_one`, those that name a customer."""
    platform = PLATFORMS.get(output.audience or "")
    hashed = [field for field, column in platform.columns.items() if column.hashed] if platform else []
    given = output.fields.given
    return frozenset(given[f] for f in hashed if f in given and not (names_one and f in _OF_MANY))
