"""What tests in a rule file say that cannot be: segments, event tables and lists that there are not."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.rules import walk
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.model.tests import RuleTest
from segkit.words import nearest


def check_tests(rules: RuleFile) -> Iterator[Finding]:
    """Findings about names that two tests have, or that nothing has, and about expectations at odds."""
    names: set[str] = set()
    lists = {file for _, _, permission in walk.permissions(rules) for file in permission.suppress}
    for number, test in enumerate(rules.test):
        path: KeyPath = ("test", number)
        if test.name in names:
            yield Finding((*path, "name"), f"there is another test `{test.name}`", "give one of them another name")
        names.add(test.name)
        yield from _unknown_segments(path, test, rules)
        for table in test.events:
            if table not in rules.events:
                hint = nearest(table, rules.events, "event tables")
                yield Finding((*path, "events", table), f"there is no `[events.{table}]`", hint)
        for position, file in enumerate(test.listed):
            if file not in lists:
                hint = nearest(file, sorted(lists), "lists")
                yield Finding((*path, "listed", position), f"no `suppress` names a list `{file}`", hint)
        yield from _at_odds(path, test, rules)


def _named(test: RuleTest) -> Iterator[tuple[KeyPath, str]]:
    """Each place that names a segment."""
    for key in ("segments", "not_segments", "written"):
        yield from (((key, position), name) for position, name in enumerate(getattr(test, key) or ()))
    yield from ((("stopped", name), name) for name in test.stopped)


def _unknown_segments(path: KeyPath, test: RuleTest, rules: RuleFile) -> Iterator[Finding]:
    for place, name in _named(test):
        if name not in rules.segment:
            hint = nearest(name, rules.segment, "segments")
            yield Finding((*path, *place), f"there is no `[segment.{name}]`", hint)


def _at_odds(path: KeyPath, test: RuleTest, rules: RuleFile) -> Iterator[Finding]:
    """Findings about expectations that no run can meet."""
    matched, written = test.segments, test.written or ()
    for position, name in enumerate(test.not_segments):
        if name in (matched or ()) or name in written or name in test.stopped:
            yield Finding((*path, "not_segments", position), f"`{name}` is expected in another place of the test, too")
    for place, name in _named(test):
        if place[0] not in ("written", "stopped") or name not in rules.segment:
            continue
        if not rules.segment[name].write:
            yield Finding((*path, *place), f"`{name}` is never written", "it says `write = false`")
        elif matched is not None and name not in matched:
            yield Finding((*path, *place), f"`{name}` is not among the `segments` of the test", "add it there")
        elif place[0] == "stopped" and name in written:
            yield Finding((*path, *place), f"`{name}` is both `stopped` and `written`", "take one of them out")
        elif test.stopped.get(name) == "claimed" and rules.assignment.mode != "exclusive":
            hint = '`[assignment] mode = "exclusive"` makes segments claim'
            yield Finding((*path, *place), "nobody is claimed", hint)
