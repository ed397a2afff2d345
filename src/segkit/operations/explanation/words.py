"""Criteria in words: what they look at, and what is wanted of it."""

from __future__ import annotations

from segkit.columns.features.rfm.cuts import exact
from segkit.criteria.tree import All, Leaf, Member, Not, On, Sql, Tree
from segkit.criteria.tree import Any as AnyOf
from segkit.rules.model.blocks import EventCondition, Inside, Near
from segkit.rules.model.computed.scores import ScoreRule
from segkit.rules.wording.criteria import condition_text, event_text, place_text


def said(tree: Tree) -> tuple[str, str, str]:
    """A criterion in words: what it looks at, what is wanted of it, and the kind of criterion."""
    match tree:
        case Not(part=AnyOf()):
            return "none of", "", "none"
        case Not(part=Leaf() as leaf):
            subject, wanted, kind = said(leaf)
            return f"not {subject}" if kind == "segment" else f"{subject} not", wanted, kind
        case AnyOf():
            return "any of", "", "any"
        case Leaf(asked=On(column=column, condition=condition)):
            return column, condition_text(condition), "condition"
        case Leaf(asked=EventCondition() as asked):
            return "did", event_text(asked), "event"
        case Leaf(asked=Member(segment=name)):
            return "in segment", name, "segment"
        case Leaf(asked=Sql(text=text)):
            return "sql", text, "sql"
        case Leaf(asked=Near() as asked):
            return "lives", place_text(asked), "near"
        case Leaf(asked=Inside() as asked):
            return "lives", place_text(asked), "inside"
    return "all of", "", "all"


def said_of_rule(rule: ScoreRule, tree: All) -> tuple[str, str]:
    """A rule of a score in words: what it looks at, and for what of it, or for how much, there are points."""
    if per := rule.points_per:
        most = f", at most {exact(per.max):f}" if per.max is not None else ""
        asked = f", where {_in_a_line(tree)}" if tree.parts else ""
        return per.column, f"{exact(per.points):f} for each{most}{asked}"
    if not tree.parts:
        return "everyone", ""
    first, *more = tree.parts
    subject, wanted = _apart(first)
    return subject, " and ".join([wanted, *map(_in_a_line, more)])


def only_leaf(tree: Tree) -> Leaf | None:
    """The one condition of a block; None where there are none, or several."""
    match tree:
        case Leaf():
            return tree
        case Not(part=part) | All(parts=(part,)) | AnyOf(parts=(part,)):
            return only_leaf(part)
    return None


def _apart(tree: Tree) -> tuple[str, str]:
    """What stands in two columns of a table: the subject, and all the rest."""
    match tree:
        case All(parts=(part,)) | AnyOf(parts=(part,)):
            return _apart(part)
        case Not(part=AnyOf(parts=parts)) | AnyOf(parts=parts) | All(parts=parts):
            return said(tree)[0], "; ".join(map(_in_a_line, parts))
    subject, wanted, _ = said(tree)
    return subject, wanted


def _in_a_line(tree: Tree) -> str:
    match tree:
        case All(parts=parts):
            return " and ".join(map(_in_a_line, parts))
        case AnyOf(parts=(part,)):
            return _in_a_line(part)
        case AnyOf(parts=parts):
            return f"({' or '.join(map(_in_a_line, parts))})"
        case Not(part=AnyOf(parts=parts)):
            return f"not ({' or '.join(map(_in_a_line, parts))})"
    subject, wanted, _ = said(tree)
    return f"{subject} {wanted}".rstrip()
