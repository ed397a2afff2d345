"""`check`: everything wrong with a rule file; with `data`, also what does not fit the real columns and values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from segkit import codes
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.read import Bounds, Workspace
from segkit.io.write import FORMATS
from segkit.operations.checking.coded import coded
from segkit.operations.checking.counting.counted import columns_asked, counted
from segkit.operations.checking.expected import unexpected
from segkit.operations.checking.members import alike, nobody_or_everybody, shared
from segkit.operations.checking.near_values import hints
from segkit.operations.checking.questions import doubts, mavr
from segkit.operations.checking.silence import silenced
from segkit.operations.checking.without_values import without_values
from segkit.operations.checking.zones import other_zones
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.doubts.repeated_events import in_two_files
from segkit.operations.evaluation.doubts.values_nobody_has import never_found
from segkit.operations.evaluation.evaluate import evaluate, without_data
from segkit.operations.evaluation.of_the_day import in_future, of_the_day
from segkit.operations.testing.given import wrong_tests
from segkit.operations.testing.known import known_of
from segkit.proof.against import compared
from segkit.proof.places import Places
from segkit.proof.prove import Claim, Proof, prove
from segkit.proof.words import finding_of
from segkit.results.check import CheckResult, Mavr, RuleChange
from segkit.results.parts import Overlap
from segkit.rules.check.families import computed_columns
from segkit.rules.check.windows import empty_windows
from segkit.rules.findings import dotted
from segkit.rules.text.loader import Loaded, Overrides, by_place, load_rules

OF_ONE = (codes.IMPOSSIBLE_CONDITION, codes.UNKNOWN_VALUE, codes.VALUE_NOT_FOUND)
"""What says why one criterion never holds."""


def check(
    rules: Path,
    *,
    data: bool = False,
    relations: bool = False,
    against: Path | None = None,
    as_of: dt.date | None = None,
    memory: int | None = None,
    cache: str | None = None,
    notes: Callable[[Diagnostic], object] = lambda _: None,
) -> CheckResult:
    """What is wrong with a rule file, on a day; nothing is written.

    With `data`, `memory` is the number of bytes that it plans with, as `apply` does.

    `relations` also tells which segments are within others or apart from them; `against` is another rule file, and
    what changed since is told of each segment.

    Raises `RuleError` only where the file cannot be read at all: whatever is wrong in it is part of the result.
    """
    try:
        loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of, cache=cache))
    except RuleError as error:
        if all(d.location is None or d.location.line is None for d in error.diagnostics):
            raise
        return CheckResult(str(rules), tuple(error.diagnostics))
    old = (against, as_of) if against else None
    return check_loaded(loaded, data=data, relations=relations, against=old, memory=memory, notes=notes)


def check_loaded(
    loaded: Loaded,
    *,
    data: bool = False,
    relations: bool = False,
    against: tuple[Path, dt.date | None] | None = None,
    memory: int | None = None,
    notes: Callable[[Diagnostic], object] = lambda _: None,
) -> CheckResult:
    """What is wrong with rules that are loaded; `against` is an older file, and the day that is "now" for both."""
    problems = [*without_data(loaded), *map(loaded.source.placed, empty_windows(loaded.rules, loaded.rules.today()))]
    seen = _Seen(problems)
    proved: Proof | None = None
    changes: tuple[RuleChange, ...] | None = None
    of_old: Sequence[Diagnostic] = ()
    if not any(d.severity is Severity.ERROR for d in problems):
        proved = prove(loaded.rules, loaded.rules.today(), with_relations=relations)
        if against:
            changes, of_old = _changes(*against, loaded)
        seen = _with_data(loaded, memory, notes) if data else seen
        said = [*seen.problems, *_of_tests(loaded)]
        seen = seen._replace(problems=[*_with_claims(loaded, proved, said), *of_old])
    return CheckResult(
        path=loaded.source.path,
        diagnostics=_in_order(loaded, silenced(loaded, seen.problems, data=data)),
        as_of=loaded.rules.today(),
        segments=len(loaded.rules.segment),
        columns=_computed(loaded),
        relations=proved.relations if proved and relations else None,
        changes=changes,
        mavr=seen.mavr,
        overlaps=seen.overlaps,
        older=str(against[0]) if against else None,
        of_older=tuple(of_old),
    )


def _changes(
    against: Path, as_of: dt.date | None, new: Loaded
) -> tuple[tuple[RuleChange, ...] | None, Sequence[Diagnostic]]:
    """What changed since another rule file, or what is wrong with that one."""
    try:
        old = load_rules(against, formats=FORMATS, overrides=Overrides(as_of=as_of))
        refuse(without_data(old))
    except RuleError as error:
        return None, error.diagnostics
    return compared(old.rules, new.rules, other_zones(old, new)), ()


def _with_claims(loaded: Loaded, proof: Proof, said: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What was said, and what is proved beside it.

    Where one criterion is all of a proof, what was said of it tells more; an impossible condition gets the code of the
    claim.
    """
    words = Places(loaded.rules, loaded.source)
    claims = {claim: coded(loaded, finding_of(claim, words)) for claim in proof.claims}
    of_one = {dotted(claim.conflict[0]): claim for claim in claims if _is_of_one(claim)}
    told = []
    for problem in said:
        of_this = ((at, claim) for at, claim in of_one.items() if problem.code in OF_ONE)
        claim = next((claim for at, claim in of_this if f"{problem.at}.".startswith(f"{at}.")), None)
        known = claims.pop(claim, None) if claim else None
        if known and problem.code == codes.IMPOSSIBLE_CONDITION:
            told.append(replace(problem, code=known.code, at=known.at, segment=known.segment))
        else:
            told.append(problem)
    proved = {(codes.HOLDS_FOR_NOBODY, c.segment) for c in proof.claims if c.code == codes.NEVER_HOLDS}
    proved |= {(codes.HOLDS_FOR_EVERYBODY, c.segment) for c in proof.claims if c.code == codes.ALWAYS_HOLDS}
    told = [problem for problem in told if (problem.code, problem.segment) not in proved]
    places = {(problem.code, problem.location) for problem in told}
    beside = [one for one in claims.values() if (one.code, one.location) not in places]
    return [*told, *sorted(beside, key=by_place)]


def _in_order(loaded: Loaded, said: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What is about the rule file in the order of its lines, then what is about other files."""
    of_rules: list[Diagnostic] = []
    others: list[Diagnostic] = []
    for one in said:
        (of_rules if _is_of_rules(loaded, one) else others).append(one)
    return (*sorted(of_rules, key=by_place), *others)


def _is_of_rules(loaded: Loaded, one: Diagnostic) -> bool:
    return one.location is not None and one.location.path == loaded.source.path


def _is_of_one(claim: Claim) -> bool:
    """Whether one criterion alone makes something impossible."""
    return claim.code in (codes.NEVER_HOLDS, codes.DEAD_BRANCH) and len(claim.conflict) == 1


class _Seen(NamedTuple):
    """What there is to say, and with the data what they show of the segments."""

    problems: list[Diagnostic]
    mavr: tuple[Mavr, ...] | None = None
    overlaps: tuple[Overlap, ...] = ()


def _of_tests(loaded: Loaded) -> list[Diagnostic]:
    """What is wrong with the tests of the rule file; `test` runs them."""
    if not loaded.rules.test:
        return []
    return sorted((placed(loaded, finding) for finding in wrong_tests(loaded, known_of(loaded.rules))), key=by_place)


def _with_data(loaded: Loaded, memory: int | None, notes: Callable[[Diagnostic], object]) -> _Seen:
    rules = loaded.rules
    try:
        with Workspace(bounds=Bounds(memory) if memory else None, notes=notes) as ws:
            evaluated = evaluate(loaded, rules.today(), ws, lambda _: None, kept=columns_asked(rules))
            plan, customers = evaluated.plan, evaluated.computed.customers
            found = never_found(plan, customers, hint=hints(plan, customers))
            never = [placed(loaded, finding) for finding in found]
            twice = in_two_files(evaluated.plan, ws)
            # All values that do not occur are found here; a run only names those of segments without customers.
            of_day = (one for one in of_the_day(loaded, evaluated) if one.code != codes.VALUE_NOT_FOUND)
            of_run = (*in_future(rules), *evaluated.warnings, *of_day, *twice)
            of_data = (_of_data(loaded, one) for one in of_run)
            told = dict.fromkeys([*of_data, *sorted(never, key=by_place)])
            if not evaluated.computed.size:
                return _Seen([*told])
            tally = counted(rules, evaluated.computed.parts)
            answers, pairs = tuple(mavr(rules, tally)), shared(rules, tally)
            of_members = [
                *nobody_or_everybody(rules, tally),
                *doubts(rules, answers, tally),
                *alike(rules, pairs, tally),
            ]
            small = {str(one.segment) for one in of_members if one.code == codes.TOO_SMALL}
            of_members += unexpected(rules, evaluated, tally, small)
            of_segments = sorted((coded(loaded, finding) for finding in of_members), key=by_place)
            return _Seen([*told, *of_segments], answers, pairs)
    except DataError as error:
        errors = without_values(loaded, error.diagnostics)
        return _Seen([replace(one, code=one.code or codes.BAD_DATA) for one in errors])
    except RuleError as error:
        return _Seen(list(error.diagnostics))


def _of_data(loaded: Loaded, one: Diagnostic) -> Diagnostic:
    """The diagnostic; one without a code that is about another file than the rules is a doubt about the data."""
    return one if one.code or _is_of_rules(loaded, one) else replace(one, code=codes.DOUBTFUL_DATA)


def _computed(loaded: Loaded) -> int:
    """How many columns the rule file computes."""
    return len(loaded.rules.trait) + len(list(computed_columns(loaded.rules)))
