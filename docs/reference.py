"""The reference of the rule file, written from the models: it cannot lag behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import fill
from typing import NamedTuple

from pydantic import BaseModel

from segkit.codes import CODES, Code
from segkit.io.write import FORMATS
from segkit.rules.model.blocks import Behavioural, Block, Geographic, Inside, Near, Segment
from segkit.rules.model.computed.cutoffs import Cutoffs, GroupCutoffs, MeasureCutoffs, SavedEvents
from segkit.rules.model.computed.lifecycle import Lifecycle, Stage
from segkit.rules.model.computed.rfm import MapRow, Rfm, RfmColumns
from segkit.rules.model.computed.scores import PointsPer, Score, ScoreRule
from segkit.rules.model.computed.traits import Bands, Trait
from segkit.rules.model.computed.value import Predict, Value
from segkit.rules.model.conditions import MODIFIERS, Condition, Share
from segkit.rules.model.evaluate import Evaluation, Metric
from segkit.rules.model.expect import Audit, ExpectEvents
from segkit.rules.model.file import Assignment, Cache, Fields, Output, RuleFile
from segkit.rules.model.mavr import Mavr
from segkit.rules.model.measures import EventCondition, Window
from segkit.rules.model.permissions import Cap, Consent, Control, FrequencyCap, Limit, Permission
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.model.tests import RuleTest
from segkit.rules.schema.json_schema import Schema, schemas_of
from segkit.rules.text.toml import toml_value
from segkit.rules.wording.shape import key_of

BEGIN, END = "<!-- reference: begin, written by segkit.rules.reference -->", "<!-- reference: end -->"


_CODES_INTRODUCTION = """# Codes

What [`segkit check`](cli.md#check) finds, by code. A warning or note is silenced by its code or name, for the whole
file or for one segment: `allow = ["value-not-found"]`. Errors cannot be silenced. The exit code is 1 for errors, with
`--fail-on warning` also for warnings, never for notes."""
_KINDS_OF_CODES = (
    ("Faults and doubts", "0", "What is wrong with the text, its names, columns and files, or perhaps not meant so."),
    ("Proven without the data", "1", "What holds for every data set, and so is known before any file is read."),
    ("Seen in the data", "2", "What the customers of today show, with `--data`."),
)
"""Title, first digit of the codes, a sentence."""


class Section(NamedTuple):
    """A heading, the model whose keys it lists, and the model whose keys stand under another heading."""

    title: str
    model: type[BaseModel]
    elsewhere: type[BaseModel] | None = None
    see: str = ""


SECTIONS = (
    Section("The whole file", RuleFile),
    Section("`[customers]`", Customers, Source, "Keys of any source"),
    Section("`[events.NAME]`", Events, Source, "Keys of any source"),
    Section("`expect` of an event table", ExpectEvents),
    Section("`[lookup.NAME]`", Lookup, Source, "Keys of any source"),
    Section("Keys of any source", Source),
    Section("`[trait.NAME]`", Trait, Window, "Windows"),
    Section("`bands` of a trait", Bands),
    Section("Windows", Window),
    Section("`[rfm]` and `[rfm.NAME]`", Rfm, Window, "Windows"),
    Section("`cutoffs` of `[rfm]`", Cutoffs),
    Section("`cutoffs` of one measure", MeasureCutoffs),
    Section("`within` of one measure", GroupCutoffs),
    Section("`events` of cutoffs", SavedEvents),
    Section("`[rfm.columns]`", RfmColumns),
    Section("`[[rfm.segment]]`", MapRow),
    Section("`[lifecycle]`", Lifecycle),
    Section("`[[lifecycle.stage]]`", Stage, Block, "Blocks"),
    Section("`[score.NAME]`", Score),
    Section("`[[score.NAME.rule]]`", ScoreRule, Block, "Blocks"),
    Section("`points_per` of a rule", PointsPer),
    Section("`[value]`", Value, Window, "Windows"),
    Section("`[value.predict]`", Predict),
    Section("`[segment.NAME]`", Segment, Block, "Blocks"),
    Section("Blocks", Block),
    Section("`geographic`", Geographic),
    Section("`geographic.near`", Near),
    Section("`geographic.inside`", Inside),
    Section("`top_percent` and `bottom_percent` within groups", Share),
    Section("`behavioural`", Behavioural),
    Section("Event conditions: `did`, `did_not`", EventCondition, Window, "Windows"),
    Section("`[consent]`", Consent),
    Section("`[consent.channel.NAME]`", Permission),
    Section("`[frequency_cap]`", FrequencyCap, Window, "Windows"),
    Section("`[frequency_cap.channel.NAME]`", Cap, Window, "Windows"),
    Section("`limit` of a segment", Limit),
    Section("`[assignment]`", Assignment),
    Section("`[assignment] control`", Control),
    Section("`[mavr]`", Mavr),
    Section("`[evaluate]`", Evaluation),
    Section("`[evaluate.metric.NAME]`", Metric),
    Section("`[audit]`", Audit),
    Section("`[output]`", Output),
    Section("`[output.fields]`", Fields),
    Section("`[cache]`", Cache),
    Section("`[[test]]`", RuleTest),
)
_KINDS = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}
_NAMES = {
    "Condition": "condition", "EventCondition": "event condition", "Near": "circle", "Inside": "zones",
    "Block": "block", "Stage": "block", "ScoreRule": "block", "MapRow": "table", "GroupCutoffs": "table",
    "CustomerDate": "`{ column = ... }`",
}  # fmt: skip
"""What a model is called as a type; others are `table`."""


def reference_markdown() -> str:
    """Every section and key of the rule file with type, default and meaning, and the operators of conditions."""
    schemas = schemas_of([section.model for section in SECTIONS], FORMATS)
    parts = [_section(section, schemas[section.model.__name__]) for section in SECTIONS]
    parts.append(_operators(schemas["Condition"]["anyOf"][-1]))
    return "\n\n".join(parts) + "\n"


def codes_markdown() -> str:
    """The page of codes: what each finding of `check` means, why it comes, and what mends it."""
    parts = [_CODES_INTRODUCTION]
    for title, lowest, about in _KINDS_OF_CODES:
        parts.append(f"## {title}\n\n{about}")
        for code, one in CODES.items():
            if code[3] == lowest:
                parts += [f"### {code} {one.name}", f"{one.title}. *{_how_grave(one)}*"]
                parts.append(fill(f"{one.cause} {one.mend}", 120, break_long_words=False, break_on_hyphens=False))
    return "\n\n".join(parts) + "\n"


def _how_grave(code: Code) -> str:
    told = str(code.severity).capitalize()
    told += "; a warning where the file gives the threshold" * code.gives_threshold
    return f"{told}{', needs `--data`' if code.needs_data else ''}."


def write_between_markers(document: str) -> str:
    """`document` with the reference of today between its two markers."""
    before, _, rest = document.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the document has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{reference_markdown()}\n{END}{after}"


def _section(section: Section, schema: Schema) -> str:
    lines = [f"### {section.title}", "", _flat(section.model.__doc__ or ""), ""]
    rows = list(_rows(section, schema))
    if rows:
        lines += _table(("key", "type", "default", "meaning"), rows)
    if section.see:
        lines += ["", f"Also: {_link(section.see)}."]
    return "\n".join(lines)


def _rows(section: Section, schema: Schema) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, field in section.model.model_fields.items():
        if section.elsewhere and name in section.elsewhere.model_fields:
            continue
        key = key_of(name, field)
        told = schema["properties"][key]
        default = "required" if key in required else _default(told)
        yield f"`{key}`", _words(told), default, _flat(told.get("description", ""))


def _operators(schema: Schema) -> str:
    title = ("### Conditions", "", _flat(Condition.__doc__ or ""), "")
    short = (
        "`column = value` is short for `is`, `column = [...]` for `in`. A value is a text, a number, `true`, `false` or"
        " a date.",
        "",
    )
    rows = [
        (f"`{key}`", "true or false" if key in MODIFIERS else _words(told), told["description"])
        for key, told in schema["properties"].items()
    ]
    return "\n".join([*title, *short, *_table(("operator", "value", "holds when"), rows)])


def _words(schema: Schema) -> str:
    """The type of a key in words."""
    if "$ref" in schema:
        return _NAMES.get(schema["$ref"].rpartition("/")[2], "table")
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_words(option) for option in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{toml_value(value)}`" for value in schema.get("enum", [schema.get("const")]))
    return _plain(schema)


def _plain(schema: Schema) -> str:
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return f"two values: {_words(schema['prefixItems'][0])}"
        return f"list of {_plural(_words(schema['items']))}"
    if kind == "object":
        named: dict[str, Schema] = schema.get("patternProperties", {})
        inner = schema.get("additionalProperties") or next(iter(named.values()), None)
        return f"table of {_plural(_words(inner))}" if inner else "table"
    if isinstance(kind, list):
        return "value"
    if schema.get("format") == "date":
        return "date"
    if "day|week" in schema.get("pattern", ""):
        return "duration"
    if "maximum" in schema:
        return f"{_KINDS[str(kind)]} from {schema['minimum']} to {schema['maximum']}"
    return _KINDS[str(kind)]


def _plural(words: str) -> str:
    if words.startswith("number "):
        return words.replace("number", "numbers", 1)
    simple = words.replace(" ", "").isalpha() and " or " not in words
    head, of, rest = words.partition(" of ")
    return f"{head}s{of}{rest}" if simple else words


def _default(schema: Schema) -> str:
    default = schema.get("default", "")
    return "" if default == "" else f"`{toml_value(default)}`"


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines: list[tuple[str, ...]] = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def _flat(text: str) -> str:
    return " ".join(text.split())
