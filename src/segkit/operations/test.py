"""`test`: the tests of a rule file, run through the same steps as its data."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.evaluate import without_data
from segkit.operations.progress import Progress, silent
from segkit.operations.testing.batches import Batch, alone, batches_of
from segkit.operations.testing.given import given_of, today_of, wrong_tests
from segkit.operations.testing.known import Known, known_of
from segkit.operations.testing.verdicts import verdicts_of
from segkit.results.test import Verdict, Verdicts
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.rules.model.tests import RuleTest
from segkit.rules.text.loader import Loaded, by_place, load_rules
from segkit.words import nearest


def test(
    rules: Path, *, select: Sequence[str] = (), as_of: dt.date | None = None, progress: Progress = silent
) -> Verdicts:
    """What the tests of a rule file find, without its data; `select` are names of tests, or patterns of them.

    `as_of` is the day of the tests that say none. Raises `RuleError` for whatever is wrong with rules or tests, and
    `DataError` for a file of zones that cannot be read.
    """
    clock = time.perf_counter()
    loaded = load_rules(rules, formats=FORMATS)
    refuse(without_data(loaded))
    tests = _chosen(loaded.rules, select)
    if not tests:
        return _result(loaded, [], clock)
    known = known_of(loaded.rules)
    _refuse(loaded, wrong_tests(loaded, known, as_of))
    progress(f"running {len(tests)} tests")
    given = [given_of(loaded.rules, known, number, one, today_of(loaded.rules, one, as_of)) for number, one in tests]
    verdicts: list[Verdict] = []
    wrong: list[Finding] = []
    with Workspace() as ws:
        for batch in batches_of(given, known):
            of_batch, of_tests = _verdicts(loaded, batch, known, ws)
            verdicts += of_batch
            wrong += of_tests
    _refuse(loaded, wrong)
    return _result(loaded, verdicts, clock)


def _verdicts(loaded: Loaded, batch: Batch, known: Known, ws: Workspace) -> tuple[list[Verdict], list[Finding]]:
    """The verdicts on a batch, and what is wrong with its tests, which shows when their rows are read."""
    try:
        return verdicts_of(loaded, batch, known, ws)
    except DataError as error:
        if not all(one.location is None or ws.has(Path(one.location.path)) for one in error.diagnostics):
            raise
        if len(batch.tests) == 1:
            path = ("test", batch.tests[0].number, "name")
            return [], [Finding(path, f"in what this test gives, {one.message}", one.hint) for one in error.diagnostics]
    found = [_verdicts(loaded, single, known, ws) for single in alone(batch, known)]
    return [one for verdicts, _ in found for one in verdicts], [one for _, wrong in found for one in wrong]


def _refuse(loaded: Loaded, findings: Sequence[Finding]) -> None:
    """`RuleError` where there are findings."""
    if findings:
        raise RuleError(*sorted((placed(loaded, finding) for finding in findings), key=by_place))


def _chosen(rules: RuleFile, select: Sequence[str]) -> list[tuple[int, RuleTest]]:
    """The tests with these names, or names that fit a pattern; all of them where nothing is asked for."""
    names = [one.name for one in rules.test]
    unknown = [asked for asked in select if asked not in names and not any(fnmatchcase(n, asked) for n in names)]
    if unknown:
        raise RuleError(*(Diagnostic(f"there is no test `{n}`", hint=nearest(n, names, "tests")) for n in unknown))
    tests = list(enumerate(rules.test))
    if not select:
        return tests
    return [(at, one) for at, one in tests if any(one.name == s or fnmatchcase(one.name, s) for s in select)]


def _result(loaded: Loaded, verdicts: Sequence[Verdict], clock: float) -> Verdicts:
    ordered = sorted(verdicts, key=lambda verdict: (verdict.location.line or 0, verdict.location.column or 0))
    return Verdicts(
        path=loaded.source.path,
        defined=len(loaded.rules.test),
        verdicts=tuple(ordered),
        elapsed_seconds=time.perf_counter() - clock,
    )
