"""The personas as segments of a rule file: the ways through the tree, as conditions that people can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segkit.discoveries.cluster import Bounds, ClusterResult, Persona, Rule
from segkit.operations.orders_file.rules import as_toml
from segkit.operations.starting.lines.toml_lines import comment, dotted_key
from segkit.rules.text.toml import toml_value
from segkit.words import count, listed, plural


def told(result: ClusterResult) -> list[str]:
    """What the head of the file says: of whom and of what personas were made, and how often the rules are right."""
    names = listed(column.name for column in result.columns)
    made = f"Personas of {plural(result.customers, 'customer')} on {result.as_of}, by {names}: k-means with {result.k}"
    right = f"{count(result.agree)} of {count(result.customers)}, {percent(result.agree, result.customers)}"
    rules = plural(len(result.rules), "rule")
    lacking = f" (here {plural(result.left_out, 'customer')})" if result.left_out else ""
    return [
        f"{made} clusters, seed {result.seed}.",
        f"The {rules} of a decision tree put {right}, into the same persona.",
        f"Who lacks one of these columns is in none{lacking}.",
    ]


def percent(part: int, whole: int) -> str:
    """The part in percent; what is not all is never 100."""
    share = 100 * part / whole
    return f"{share if part == whole else min(share, 99.9):.1f} %"


def sections(result: ClusterResult, together: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """The lines of the segments; `together` has the columns that a customer lacks if he lacks one."""
    ruled = [persona for persona in result.personas if persona.by_rules]
    for persona in ruled:
        own = [rule for rule in result.rules if rule.persona == persona.name]
        yield from ([] if persona is ruled[0] else [""])
        yield from _segment(persona, own, result, together)


def _segment(
    persona: Persona, own: list[Rule], result: ClusterResult, together: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    families = {column.name: column.family for column in result.columns}
    size = f"{plural(persona.customers, 'customer')}, {percent(persona.customers, result.customers)}"
    of_rules = f"the rules find {count(persona.by_rules)}, {count(persona.agree)} of them the same"
    yield from comment(f"{size}; {of_rules}.")
    if stands_out := result.stands_out(persona):
        yield from comment(f"Its median against that of all: {', '.join(stands_out)}.")
    yield from (f"[segment.{persona.name}]", f"label = {as_toml(label_of(persona))}")
    yield from (f"{dotted_key(families[name], name, 'missing')} = false" for name in _also_needed(own, together))
    if len(own) == 1:
        yield from (" = ".join(one) for one in _conditions(own[0], families))
        return
    yield "any = ["
    for rule in own:
        yield f"  {{ {', '.join(' = '.join(one) for one in _conditions(rule, families))} }},"
    yield "]"


def _also_needed(own: list[Rule], together: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Columns that some rule does not ask about: who lacks one was not clustered, and is in no persona."""
    needed: set[str] = set()
    for name, same in together.items():
        if not needed & same and any(not same & rule.bounds.keys() for rule in own):
            needed.add(name)
            yield name


def label_of(persona: Persona) -> str:
    """What a persona is like, in words that hold longer than its medians: `frequency high, recency_days low`."""
    words = [f"{name} {'high' if persona.deviations[name] > 0 else 'low'}" for name in persona.stands_out]
    return ", ".join(words) or "much like all"


def _conditions(rule: Rule, families: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each condition as its key and its value."""
    for name, bounds in rule.bounds.items():
        asked = _operators(bounds)
        if len(asked) == 1:
            ((operator, value),) = asked.items()
            yield dotted_key(families[name], name, operator), value
        else:
            yield dotted_key(families[name], name), f"{{ {', '.join(' = '.join(one) for one in asked.items())} }}"


def _operators(bounds: Bounds) -> dict[str, str]:
    asked = {"min": bounds.least, "below": bounds.below}
    return {operator: toml_value(value) for operator, value in asked.items() if value is not None}
