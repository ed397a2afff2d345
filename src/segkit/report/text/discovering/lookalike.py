"""What `segkit lookalike` has found as text: what members have more of, the card, how well it tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from segkit.discoveries.lookalike import WHY, LookalikeResult, Question, Reason
from segkit.report.numbers import percent, seconds, share
from segkit.report.text.discovering.words import in_words
from segkit.report.text.screen import told
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.words import count, plural

MOST_TRAITS, MOST_COLUMNS, MOST_NAMES = 8, 12, 6


def lookalike_summary(result: LookalikeResult) -> RenderableType:
    """Everything that there is to say of who resembles a segment."""
    return spaced(
        [
            _headline(result),
            _traits(result),
            _card(result),
            _tenths(result),
            _fifths(result),
            _left_out(result),
            *map(told, (*result.warnings, *result.notes)),
            _closing(result),
        ]
    )


def _headline(result: LookalikeResult) -> Text:
    of_all = percent(share(result.members, result.customers))
    first = f"{plural(result.customers, 'customer')} on {result.as_of}, "
    first += f"{count(result.members)} of them in {result.segment} ({of_all})"
    others = "rows of another file" if result.prospects_path is not None else "the customers who are not in it"
    held = f"the best 30 % hold {result.captured(3):.0f} % of the members"
    lines = [
        f"{plural(result.prospects, 'prospect')}: {others}",
        f"AUC {result.auc:.2f} on customers it had not seen; {held}",
    ]
    if result.fitted < result.customers:
        lines.append(f"points fitted to {count(result.fitted)} customers, members first of all")
    return Text.assemble((first, "bold"), "\n", "\n".join(lines))


def _traits(result: LookalikeResult) -> RenderableType | None:
    if not result.traits:
        return None
    table = plain_table()
    table.add_column("What members have more of", max_width=48)
    numeric(table, "Members", "Others", "Times")
    others = result.customers - result.members
    for trait in result.traits[:MOST_TRAITS]:
        of_members, of_others = share(trait.members, result.members), share(trait.others, others)
        times = f"{of_members / of_others:.1f}" if of_others else ""
        words = f"{trait.column}: {in_words(trait.condition)}"
        table.add_row(_plain(words), percent(of_members), percent(of_others), times)
    return table


def _card(result: LookalikeResult) -> RenderableType:
    table = plain_table()
    table.add_column("The card", max_width=24, overflow="fold")
    numeric(table, "AUC alone", "Points")
    table.add_column("Most points for", max_width=36)
    asked = sorted(result.questions, key=lambda one: -one.points)
    for one in asked[:MOST_COLUMNS]:
        table.add_row(_plain(one.column), f"{one.auc:.2f}", str(one.points), _plain(_best(one)))
    if len(asked) <= MOST_COLUMNS:
        return table
    rest = f"{plural(len(asked) - MOST_COLUMNS, 'more question')} with fewer points; --save-rules or --json has all"
    return Group(table, Text(rest, style="dim"))


def _best(question: Question) -> str:
    """The answer that gives most, of those that somebody has given."""
    given = [answer for answer in question.answers if answer.members + answer.others]
    return in_words(max(given, key=lambda answer: answer.points).condition)


def _tenths(result: LookalikeResult) -> RenderableType:
    table = plain_table()
    numeric(table, "Tenth", "From points", "Members", "Share", "Lift", "So far")
    of_all = share(result.members, result.customers)
    for place, tenth in enumerate(result.tenths, start=1):
        here = share(tenth.members, tenth.customers)
        so_far = percent(share(tenth.members_so_far, result.members))
        lift = f"{here / of_all:.1f}"
        table.add_row(str(place), str(tenth.least), count(tenth.members), percent(here), lift, so_far)
    return titled("Members among the tenths of all customers, the most points first", table)


def _fifths(result: LookalikeResult) -> RenderableType:
    table = plain_table()
    numeric(table, "Fifth", "Said", "Was")
    for place, fifth in enumerate(result.fifths, start=1):
        table.add_row(str(place), percent(100 * fifth.said), percent(100 * fifth.was))
    return titled("The chance to be a member: what the model said, and what was", table)


def _left_out(result: LookalikeResult) -> RenderableType | None:
    names: dict[Reason, list[str]] = {}
    for one in result.left_out:
        names.setdefault(one.reason, []).append(f"{one.column} ({one.what})" if one.what else one.column)
    table = plain_table()
    table.add_column("Left out", max_width=40)
    table.add_column("because it")
    for reason, of_reason in names.items():
        table.add_row(_plain(_listed(of_reason)), fill(WHY[reason], 36))  # as all versions of Rich do
    return table if names else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {count(len(names) - MOST_NAMES)} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _closing(result: LookalikeResult) -> Text:
    return Text("\n".join(_last(result)), style="green")


def _last(result: LookalikeResult) -> Iterator[str]:
    best = result.best
    part = f"The best {best.percent.normalize():f} %"
    if 100 * best.customers > best.percent * result.prospects:
        part += f" ({percent(share(best.customers, result.prospects))}, with ties)"
    yield (
        f"{part}: {plural(best.customers, 'prospect')} with {best.least} points or more. "
        "Points say who resembles members, not who will buy."
    )
    if result.rules_path is not None:
        yield f"Rules in {result.rules_path}: `segkit apply {result.rules_path}` lists them"
    done = f"Points of all prospects in {result.path}" if result.path is not None else "Done"
    yield f"{done} ({seconds(result.elapsed_seconds)})"


def _plain(text: Any) -> Text:
    return Text(str(text))
