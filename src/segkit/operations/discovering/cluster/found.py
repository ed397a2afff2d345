"""From customers to personas and rules: points, how many clusters, which, and the tree that finds them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from segkit.discoveries.cluster import ChosenBy, Persona, Rule, TriedK
from segkit.errors import DataError, RuleError
from segkit.operations.discovering.cluster.complete import FEWEST_EACH, Complete, require_enough
from segkit.operations.discovering.cluster.number import MOST_TRIED, choose, clusters_of, distinct, try_numbers
from segkit.operations.discovering.cluster.personas import by_size, medians_of, personas_of, rules_of
from segkit.operations.discovering.cluster.points import Floats, points_of
from segkit.operations.discovering.cluster.tree import grown
from segkit.operations.progress import Progress
from segkit.words import listed, plural

NUMBERS = range(3, 9)
"""The numbers of personas that are tried: of two nobody learns much, more than eight nobody keeps in mind."""


class Found(NamedTuple):
    """What was found among customers; `clusters` has the place of each one's persona, from 0 on."""

    tried: tuple[TriedK, ...]
    tried_on: int
    k: int
    chosen_by: ChosenBy
    clusters: Any
    personas: tuple[Persona, ...]
    rules: tuple[Rule, ...]
    medians: Mapping[str, float]
    logarithm: Mapping[str, bool]


def found_among(customers: Complete, k: int | None, leaves: int | None, seed: int, say: Progress) -> Found:
    """The personas of the customers, and the rules; `DataError` where too few of them are there, or differ."""
    columns = customers.values.columns
    require_enough(customers, k or NUMBERS[0])
    # One thread: sums in another order are other sums, and threads that wait for each other take ten times as long.
    with threadpool_limits(1):
        points = points_of(customers.values)
        say("trying numbers of personas")
        trials = try_numbers(points.scaled, _numbers(points.scaled, columns, k), seed)
        trial, by = choose(trials, k)
        chosen = trial.tried.k
        if leaves is not None and leaves < chosen:
            hint = f"give {chosen} or more, or fewer personas: `--k {leaves}`"
            raise RuleError.of(f"`--leaves {leaves}` are fewer than the {chosen} personas", hint=hint)
        say("looking for personas")
        clusters = by_size(clusters_of(points.scaled, trial, seed), chosen)
        _require_all(int(clusters.max()) + 1, chosen, columns)
        say("making rules")
        tree = grown(customers.values, clusters, leaves or 2 * chosen, seed)
    rules = rules_of(customers.values, clusters, tree)
    return Found(
        tried=tuple(one.tried for one in trials),
        tried_on=min(len(customers.values), MOST_TRIED),
        k=chosen,
        chosen_by=by,
        clusters=clusters,
        personas=personas_of(customers.values, points.scaled, clusters, chosen, rules),
        rules=rules,
        medians=medians_of(customers.values),
        logarithm=dict(zip(columns, points.logarithm, strict=True)),
    )


def _require_all(found: int, wanted: int, columns: Sequence[str]) -> None:
    """`DataError` where clusters are empty: next to a few values far away, all others are the same point."""
    if found == wanted:
        return
    message = f"k-means finds {plural(found, 'persona')} by {listed(columns)}, not {wanted}"
    hint = (
        "a few values may be so far from all others that these do not differ beside them: look for errors in the data"
    )
    raise DataError.of(message, hint=f"{hint}, or ask for fewer personas with `--k`")


def _numbers(points: Floats, columns: Sequence[str], given: int | None) -> list[int]:
    """The numbers that so many customers, so different, allow; `DataError` where they allow none, or not the given."""
    different, most = distinct(points), len(points) // FEWEST_EACH
    needed = given or NUMBERS[0]
    if different < needed:
        values = f"{plural(different, 'different value')} of {listed(columns)}"
        message = f"customers have {values}, too few for {needed} personas"
        raise DataError.of(message, hint="add a column to `--columns`, or ask for fewer personas with `--k`")
    return [k for k in sorted({*NUMBERS, needed}) if k <= min(different, most)]
