"""What a run of today would not publish for: segments of another size than is expected, events that are too old."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from segkit import codes
from segkit.diagnostics import Finding
from segkit.gates.expectations import broken, too_old
from segkit.operations.checking.counting.counted import ALL, WRITTEN
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.summary.tally import Tally
from segkit.rules.findings import dotted
from segkit.rules.model.file import RuleFile


def unexpected(rules: RuleFile, evaluated: Evaluated, counted: Tally, small: Collection[str]) -> Iterator[Finding]:
    """Each bound of `expect` that is broken, but for the least size of segments that are known to be `small`.

    What a segment had in the run before is not looked at: there is no run here.
    """
    written = {name: counted.count(WRITTEN, name) for name, segment in rules.segment.items() if segment.write}
    last_days = {name: evaluated.computed.last_day(name) for name, table in rules.events.items() if table.expect}
    of_segments = broken(rules, written, counted.count(ALL), lambda _: None, accept_changes=False)
    for one in (*too_old(rules, last_days, evaluated.plan.context.as_of), *of_segments):
        segment = str(one.path[1]) if one.path[0] == "segment" else None
        if segment is None or one.path[-1] != "min_size" or segment not in small:
            yield Finding(
                code=codes.UNEXPECTED,
                at=dotted(one.path),
                message=one.message,
                segment=segment,
                conflict=(),
                hint=one.hint or "`segkit apply` would publish nothing",
            )
