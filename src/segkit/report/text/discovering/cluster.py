"""What `segkit cluster` has found as text: how many personas, who they are, and how often the rules find them."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor

from rich.console import RenderableType
from rich.text import Text

from segkit.discoveries.cluster import WHY, ClusterResult, Persona, TriedK
from segkit.report.numbers import percent, seconds, share
from segkit.report.text.screen import told
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.words import count, plural


def cluster_summary(result: ClusterResult) -> RenderableType:
    """Everything that there is to say of the personas."""
    return spaced(
        [
            _headline(result),
            _numbers(result),
            _personas(result),
            *map(told, (*result.warnings, *result.notes)),
            _closing(result),
        ]
    )


def _headline(result: ClusterResult) -> Text:
    first = f"{plural(result.k, 'persona')} among {plural(result.customers, 'customer')} on {result.as_of}"
    lines = [f"By {', '.join(column.name for column in result.columns)}"]
    if skewed := [column.name for column in result.columns if column.logarithm]:
        lines.append(f"Compared by how many times larger one is: {', '.join(skewed)}")
    if result.left_out:
        lacking = [f"{one.name} {count(one.missing)}" for one in result.columns if one.missing]
        lines.append(f"Left out: {plural(result.left_out, 'customer')} without a value ({', '.join(lacking)})")
    return Text.assemble((first, "bold"), *(f"\n{line}" for line in lines))


def _numbers(result: ClusterResult) -> RenderableType:
    table = plain_table()
    numeric(table, "Personas", "Smallest", "Stability")
    table.add_column("", max_width=52)
    for one in result.tried:
        # Rounded down: what does not hold does not look as if it did.
        smallest, stability = floor(10 * one.smallest) / 10, floor(100 * one.stability) / 100
        table.add_row(str(one.k), percent(smallest), f"{stability:.2f}", _why(one, result))
    title = "How many: do two halves of the customers make the same ones, is one small"
    if result.tried_on < result.customers:
        title += f"\n(tried on {count(result.tried_on)} of them)"
    return titled(title, table)


def _why(one: TriedK, result: ClusterResult) -> str:
    return WHY[result.chosen_by] if one.k == result.k else ""


def _personas(result: ClusterResult) -> RenderableType:
    table = plain_table()
    table.add_column("Persona", no_wrap=True)
    numeric(table, "Customers", "Share")
    table.add_column("Stands out by (its median against that of all)", overflow="fold")
    for persona in result.personas:
        of_all = percent(share(persona.customers, result.customers))
        table.add_row(persona.name, count(persona.customers), of_all, _stands_out(persona, result))
    return table


def _stands_out(persona: Persona, result: ClusterResult) -> Text:
    return Text(", ".join(result.stands_out(persona)) or "nothing: much like all")


def _closing(result: ClusterResult) -> Text:
    return Text("\n".join(_last(result)), style="green")


def _last(result: ClusterResult) -> Iterator[str]:
    rules = plural(len(result.rules), "rule")
    yield (
        f"{rules} of a decision tree put {percent(result.accuracy)} of the customers into their persona "
        f"({count(result.agree)} of {count(result.customers)})"
    )
    if result.rules_path is not None:
        yield f"Rules in {result.rules_path}: `segkit apply {result.rules_path}` lists the personas"
    elif result.path is None:
        yield "`--save-rules FILE.toml` writes them as segments"
    done = f"The persona of each customer in {result.path}" if result.path is not None else "Done"
    yield f"{done} ({seconds(result.elapsed_seconds)})"
