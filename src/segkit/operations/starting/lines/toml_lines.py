"""Lines of a rule file: parts that stand or fall together, and comments beside what they explain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from segkit.operations.orders_file.rules import as_toml
from segkit.rules.text.toml import toml_key

BESIDE = 44
"""The longest line that has its comment beside it."""
WIDEST = 118


@dataclass(frozen=True, kw_only=True)
class Part:
    """Lines that stand or fall together, such as a segment.

    A part that is `optional` is left out where the data speak against it, and with it those that `needs` it. `output`
    are columns that it brings into the lists.
    """

    name: str
    lines: tuple[str, ...]
    needs: str = ""
    optional: bool = False
    output: tuple[str, ...] = ()


def setting(key: str, value: object, why: str = "", *, active: bool = True) -> list[str]:
    """`key = value  # why`; one that only people can decide on is itself a comment."""
    line = f"{'' if active else '# '}{key} = {literal(value)}"
    return noted(line, why)


def literal(value: object) -> str:
    """The value as TOML has it; a text with quotation marks between apostrophes, where it can stand so."""
    text = as_toml(value)
    bare = isinstance(value, str) and '"' in value and "'" not in value and "\\" not in value and value.isprintable()
    return f"'{value.replace('${', '$${')}'" if bare and isinstance(value, str) else text


def noted(line: str, why: str) -> list[str]:
    """A line with a comment beside it, or above it where that is too wide."""
    if not why:
        return [line]
    why = "".join(c if c.isprintable() else " " for c in why)  # a line break of some name would end the comment
    beside = f"{line:<{BESIDE}}# {why}" if len(line) < BESIDE else f"{line}  # {why}"
    return [beside] if len(beside) <= WIDEST else [*comment(why), line]


def comment(text: str) -> Iterator[str]:
    """The text as comments, with as many words a line as there is room for."""
    line = "#"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > WIDEST and line != "#":
            yield line
            line = "#"
        line = f"{line} {word}"
    yield line


def dotted_key(*names: str) -> str:
    """`demographic."Lead Source"`."""
    return ".".join(toml_key(name) for name in names)


def title(text: str) -> tuple[str, ...]:
    """A line across the file, before what belongs together."""
    return (f"# ---- {text} ".ljust(WIDEST - 2, "-"),)


def text_of(parts: Iterable[Part]) -> str:
    """The text of the file, with an empty line between two parts."""
    return "\n\n".join("\n".join(part.lines) for part in parts) + "\n"


def part_at(parts: Sequence[Part], line: int) -> Part | None:
    """The part that this line of `text_of` belongs to, from 1 on."""
    first = 1
    for part in parts:
        size = sum(one.count("\n") + 1 for one in part.lines)
        if first <= line < first + size:
            return part
        first += size + 1
    return None
