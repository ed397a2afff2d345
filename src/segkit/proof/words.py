"""What is proved, in plain words."""

from __future__ import annotations

from segkit.diagnostics import Finding
from segkit.proof.places import Places
from segkit.proof.prove import Claim
from segkit.rules.findings import dotted

WHOLE = {"segment": "segment", "lifecycle": "stage", "score": "rule of a score"}


def finding_of(claim: Claim, places: Places) -> Finding:
    """The claim as a sentence, with the next step."""
    message, hint = _said(claim, places)
    return Finding(
        code=claim.code,
        at=dotted(claim.at),
        message=message,
        segment=claim.segment,
        conflict=tuple(map(dotted, claim.conflict)),
        hint=hint,
    )


def _said(claim: Claim, places: Places) -> tuple[str, str | None]:
    kind, beside = WHOLE.get(str(claim.at[0]), "block"), _beside(claim, places)
    s = "s" if len(claim.conflict) == 1 else ""
    name = f"`{claim.at[1]}`"
    match claim.code:
        case "SEG101":
            return f"this {kind} never holds, whatever the data are: {_excluded(claim, beside)}", _mend(claim)
        case "SEG102":
            hint = "if that is meant, say `everyone = true`"
            return f"this {kind} holds for every customer, whatever the data are", hint
        case "SEG103":
            message = f"segment {name} always has the same customers as {beside}"
            return message, "take one of them out, or change its criteria"
        case "SEG104" if kind == "stage":
            return (
                f"no customer is ever in this stage: {beside} take{s} them all",
                "move it up: the first that holds counts",
            )
        case "SEG104":
            hint = "move it up, or name it earlier in `[assignment] priority`"
            return f"segment {name} is never written to: {beside} claim{s} all its customers", hint
        case "SEG105":
            why = f"{beside} {'implies' if s else 'imply'} it" if beside else "it always holds"
            return f"this criterion changes nothing: {why}", "take it out, or change it"
        case "SEG106":
            why = f" beside {beside}" if beside else ""
            return f"this branch of `any` never holds{why}", "change it, or take it out"
        case "SEG107":
            return f"this branch changes nothing: {beside} cover{s} it", "take it out, or change it"
        case "SEG108":
            why = f": nobody satisfies it beside {beside}" if beside else ": nobody satisfies it"
            return f"this branch of `none` excludes nobody{why}", "change it, or take it out"
        case "SEG109":
            message = f"no customer gets grade `{claim.at[3]}` of score {name}: no customer has that many points"
            return message, "lower the grade, or give more points"
    return f"nothing reads the {claim.at[0]} {name}", "take it out, or name its column in `[output] columns`"


def _beside(claim: Claim, places: Places) -> str:
    """The places of the conflict, in words."""
    names = [places.named(path, claim.at) for path in claim.conflict]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _excluded(claim: Claim, beside: str) -> str:
    match len(claim.conflict):
        case 1:
            return f"no customer satisfies {beside}"
        case 2:
            return f"{beside} exclude each other"
    return f"no customer satisfies {beside} together"


def _mend(claim: Claim) -> str:
    which = "it" if len(claim.conflict) == 1 else "one of them"
    return f"change {which}, or take the block out"
