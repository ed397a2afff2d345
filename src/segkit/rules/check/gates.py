"""Who is written: channels that have rules, and names that the draws need."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.words import listed, nearest


def check_gates(rules: RuleFile) -> Iterator[Finding]:
    """Everything about consent, frequency caps, limits and draws."""
    yield from _channels(rules)
    yield from _variant(rules)


def _channels(rules: RuleFile) -> Iterator[Finding]:
    """A finding for each channel that is misspelt or was forgotten, and so would go past its rules."""
    of_consent = rules.consent.channel if rules.consent else {}
    of_cap = rules.frequency_cap.channel if rules.frequency_cap else {}
    known = of_consent or of_cap
    section = "consent" if of_consent else "frequency_cap"
    for name in of_cap:
        if name not in known:
            message, hint = _no_channel(name, known, section)
            yield Finding(("frequency_cap", "channel", name), message, hint, code=codes.UNKNOWN_NAME)
    for name, segment in rules.segment.items():
        if not segment.write or not known:
            continue
        path = ("segment", name)
        if segment.channel is None:
            message = f"the segment has no `channel`, so only the general rules of `[{section}]` count for it"
            ways = [f'channel = "{channel}"' for channel in known]
            hint = f"say by which it is written: {listed(ways, 'or')}"
            yield Finding(path, message, hint, warning=True)
        elif segment.channel not in known:
            message, hint = _no_channel(segment.channel, known, section)
            yield Finding((*path, "channel"), message, hint, code=codes.UNKNOWN_NAME)


def _no_channel(name: str, known: Collection[str], section: str) -> tuple[str, str]:
    near, wanted = nearest(name, known, "channels") or "", f"`[{section}.channel.{name}]`"
    link = "" if near.endswith("?") else ";"
    return f"there is no {wanted}", f"{near}{link} or say what it needs in {wanted}, an empty table too"


def _variant(rules: RuleFile) -> Iterator[Finding]:
    """A finding for each other column with the name `variant`, which is that of `split`."""
    for name, segment in rules.segment.items():
        if segment.split is None:
            continue
        for path, column in (
            (("output", "label_column"), rules.output.label_column),
            (("customers", "key"), rules.customers.key),
        ):
            if column == "variant":
                message = f"`split` of segment `{name}` writes a column `variant`, and this one has the same name"
                yield Finding(path, message, "choose another name", code=codes.NAME_TAKEN)
