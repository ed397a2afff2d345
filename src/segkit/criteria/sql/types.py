"""Types of SQL expressions: what does not fit is told, whole numbers do not overflow in silence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from segkit.criteria.conditions import regex_problem
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.criteria.readings import field_text, moment
from segkit.criteria.sql import rewrites
from segkit.criteria.sql.asks import COMPARISONS, OF_TIME, branches_of, function_of, gives_text, sees_time
from segkit.criteria.sql.casts import CAST_KINDS, CAST_WORDS, CASTS
from segkit.criteria.sql.layouts import check_layout, check_reading
from segkit.criteria.sql.parse import SqlProblem, expression_of
from segkit.criteria.sql.parts import (
    DATE_HINT,
    DAYS,
    LENGTH_OF_TIME,
    LIST_HINT,
    NO_TIME,
    NUMBERS,
    TEXT_HINT,
    WORDS,
    Part,
    Place,
    compared_hint,
    computed_hint,
    counting,
    go_together,
    shown_literal,
    with_inputs,
)
from segkit.criteria.sql.rewrites import NULL, cast, made

_ARITHMETIC = {"Plus", "Minus", "Multiply", "RustDivide", "TrueDivide", "FloorDivide", "Modulus", "Mul", "Div",
               "IntDiv", "Rem", "Divide"}  # fmt: skip


_IN_128_BITS = {"Plus", "Minus", "Multiply", "Mul"}
_DIVIDES = {"Div", "IntDiv", "Rem"}
_MAY_BE_NAN = {"Log", "Log1p", "Exp", "Pow", "Trigonometry", "Cbrt", "Atan2"}


_FIT_COUNTS = {"Slice": (1, 2), "PadStart": (1,), "PadEnd": (1,)}
"""Which arguments of a text function are whole numbers; all others are texts."""


class Typing:
    """Finds the type of each part of a tree over columns of a schema, and rewrites what has to be."""

    def __init__(self, schema: Dtypes) -> None:
        self.schema = schema
        self.frame = pl.LazyFrame(schema=schema)

    def part(self, tree: Any, shown: str = "what it is given") -> Part:
        """The part that a tree of known parts makes; functions give whole numbers of 64 bits."""
        try:
            dtype = self.frame.select(expression_of(tree).alias("value")).collect_schema()["value"]
        except pl.exceptions.PolarsError as error:
            raise SqlProblem("cannot use the SQL: its parts are of types that do not go together") from error
        if dtype.is_integer() and dtype not in (pl.Int64, pl.Int128) and "Literal" not in tree:
            return Part(cast(tree, pl.Int64(), strict=True), pl.Int64(), shown)
        return Part(tree, dtype, shown)

    def part_of(self, node: Any, place: Place = "") -> Part:
        """The part for a node of the parsed tree."""
        if "Column" in node:
            return self._column(node["Column"], place)
        if "Literal" in node:
            return self.part(node, shown_literal(node))
        if "Cast" in node:
            return self._cast(node["Cast"])
        if "Ternary" in node:
            return self._ternary(node, place)
        if _is_epoch(node):
            of_time = node["BinaryExpr"]["left"]["BinaryExpr"]["left"]["Function"]["input"][0]
            return self.part(made(rewrites.epoch, self._timed(of_time, "EPOCH").tree))
        if "BinaryExpr" in node:
            return self._binary(node["BinaryExpr"])
        return self._function(node, place)

    def _column(self, name: str, place: Place) -> Part:
        shown = f"`{name}`"
        if place == "text" and kind_of(self.schema[name]) in NUMBERS and field_text(name) in self.schema:
            name = field_text(name)
        if place == "moment" and moment(name) in self.schema:
            name = moment(name)
        return self.part({"Column": name}, shown)

    # Kinds of arguments.

    def _of_kind(self, node: Any, kinds: Iterable[str], what: str, place: Place = "", hint: str | None = None) -> Part:
        """The part of a node that has to be of one of these kinds, or nothing."""
        part = self.part_of(node, place)
        if part.kind in kinds or part.kind == "nothing":
            return part
        if part.kind == "duration":
            raise SqlProblem(*LENGTH_OF_TIME)
        raise SqlProblem(f"{what}, but {part.shown} is {WORDS[part.kind]}", hint)

    def _text(self, node: Any, what: str = "a text function takes text") -> Part:
        """The text of a node; of a column that is read as a number, the text of the field."""
        column = f'"{node["Column"]}"' if "Column" in node else "..."
        hints = f"make it text: TRY_CAST({column} AS VARCHAR); a date: STRFTIME({column}, '%Y-%m-%d')"
        part = self._of_kind(node, ("text",), what, "text", hints)
        return self.part(cast(part.tree, pl.String()), part.shown) if part.kind == "nothing" else part

    def _as_text(self, node: Any) -> Part:
        """The node as text, whatever it is; a date as its day."""
        part = self.part_of(node, "text")
        if part.kind in ("list", "duration", "other"):
            raise SqlProblem(f"{part.shown} is {WORDS[part.kind]}, which is no text", TEXT_HINT)
        if part.dtype.is_decimal():
            return self.part(made(rewrites.number_text, part.tree), part.shown)
        return part if part.kind == "text" else self.part(cast(part.tree, pl.String()), part.shown)

    def _count(self, node: Any) -> Part:
        return self._of_kind(node, ("number",), "the place or length of a text is a whole number")

    def _number(self, node: Any) -> Part:
        return self._of_kind(node, ("number",), "a function of numbers takes a number")

    def _timed(self, node: Any, what: str) -> Part:
        """A timestamp, for a function that needs its time of day."""
        part = self._of_kind(node, DAYS, f"`{what}` takes a date", "moment", DATE_HINT)
        if part.kind == "date":
            raise SqlProblem(f"`{what}` asks for a time of day, and {part.shown} is a day here", NO_TIME)
        return part

    # Nodes.

    def _ternary(self, node: Any, place: Place) -> Part:
        inner = node["Ternary"]
        test = self._of_kind(inner["predicate"], ("boolean",), "what is asked is true or false")
        truthy, falsy = self._alike(branches_of(node), place, "the values of one column are of one type")
        return self.part({"Ternary": {"predicate": test.tree, "truthy": truthy.tree, "falsy": falsy.tree}})

    def _alike(self, nodes: Sequence[Any], place: Place, what: str) -> list[Part]:
        """Parts of one kind; a text among them makes all of them text."""
        if any(map(gives_text, nodes)) or place == "text":
            return [self._as_text(node) for node in nodes]
        parts = [self.part_of(node, place) for node in nodes]
        if any(part.kind == "text" for part in parts):
            return [self._as_text(node) for node in nodes]
        self._same_kind(parts, what)
        return parts

    def _same_kind(self, parts: Sequence[Part], what: str) -> None:
        first, *others = [part for part in parts if part.kind != "nothing"] or [parts[0]]
        for other in others:
            if first.kind != other.kind and not go_together(first.kind, other.kind):
                raise SqlProblem(
                    f"{what}, but {first.shown} is {WORDS[first.kind]} and {other.shown} {WORDS[other.kind]}",
                    compared_hint(first, other),
                )

    def _binary(self, inner: Any) -> Part:
        op, sides = inner["op"], [inner["left"], inner["right"]]
        if op in COMPARISONS:
            left, right = self._compared(sides)
        elif op in _ARITHMETIC:
            return self._arithmetic({"BinaryExpr": inner}, op, sides)
        else:
            left, right = self._bits(sides)
        return self.part({"BinaryExpr": {"left": left.tree, "op": op, "right": right.tree}})

    def _compared(self, nodes: Sequence[Any]) -> list[Part]:
        """Parts to compare with each other; true and false are 1 and 0 beside numbers."""
        parts = [self.part_of(node) for node in nodes]
        self._same_kind(parts, "only values of one type are compared")
        if {part.kind for part in parts} >= {"date", "timestamp"}:
            return [self._day(part) for part in parts]
        return [counting(part) for part in parts] if any(part.kind == "number" for part in parts) else parts

    def _day(self, part: Part) -> Part:
        """The day of a part that is compared with days; a time of day that stands in the SQL would be lost."""
        if part.kind != "timestamp":
            return part
        if part.is_literal and not pl.select(expression_of(part.tree).dt.time() == dt.time()).item():
            raise SqlProblem("a day is compared with a time of day", NO_TIME)
        return self.part(made(lambda value: value.dt.date(), part.tree), part.shown)

    def _bits(self, sides: Sequence[Any]) -> list[Part]:
        """The sides of AND and OR: all true or false, or, for BIT_AND and BIT_OR, whole numbers."""
        what = "`AND` and `OR` go between what is true or false"
        parts = [self._of_kind(side, NUMBERS, what) for side in sides]
        numbers = [part for part in parts if part.kind == "number"]
        for part in numbers:
            if not part.whole or len(numbers) < len([part for part in parts if part.kind != "nothing"]):
                raise SqlProblem(f"{what}, but {part.shown} is a number", "compare it: n > 0")
        return parts

    def _not(self, node: Any) -> Part:
        part = self._of_kind(node, NUMBERS, "`NOT` takes what is true or false")
        if not part.whole and part.kind != "nothing":
            raise SqlProblem(f"`NOT` takes what is true or false, but {part.shown} is a number", "compare it: n > 0")
        return part

    def _arithmetic(self, node: Any, op: str, sides: Sequence[Any]) -> Part:
        parts = [self.part_of(side) for side in sides]
        kinds = {part.kind for part in parts}
        if op == "Plus" and kinds <= {"text", "nothing"}:
            return self.part(with_inputs(node, [part.tree for part in parts]))
        if "duration" in kinds or (op == "Minus" and kinds <= set(DAYS)):
            raise SqlProblem(*LENGTH_OF_TIME)
        for part in parts:
            if part.kind not in (*NUMBERS, "nothing"):
                raise SqlProblem(
                    f"only numbers are computed with, but {part.shown} is {WORDS[part.kind]}", computed_hint(part)
                )
        if op in _DIVIDES:
            parts[1] = self.part(made(rewrites.divisor, parts[0].tree, parts[1].tree), parts[1].shown)
        if all(part.whole for part in parts):
            return self._of_whole(node, op, parts)
        return self.part(with_inputs(node, [counting(part).tree for part in parts]))

    def _of_whole(self, node: Any, op: str, parts: Sequence[Part]) -> Part:
        """Whole numbers, computed in 128 bits and brought back to 64; a column of 128 bits stays such."""
        large = any(part.dtype == pl.Int128 for part in parts)
        if op not in _IN_128_BITS:
            return self.part(with_inputs(node, [cast(p.tree, pl.Int128() if large else pl.Int64()) for p in parts]))
        if large and op in ("Multiply", "Mul"):
            return self.part(made(rewrites.large_product, *(part.tree for part in parts)))
        exact = with_inputs(node, [cast(part.tree, pl.Int128()) for part in parts])
        return self.part(exact if large else cast(exact, pl.Int64(), strict=True))

    def _cast(self, inner: Any) -> Part:
        to = inner["dtype"]["Literal"]
        if to == "String":
            return self._as_text(inner["expr"])
        if inner["options"] == "Strict":  # NOT comes so
            part = self._not(inner["expr"])
            return self.part({"Cast": {**inner, "expr": part.tree}}, part.shown)
        if isinstance(to, dict) and "List" in to:
            return self._of_kind(inner["expr"], ("list",), "a list function takes a list", hint=LIST_HINT)
        part = self.part_of(inner["expr"], "moment" if to != "Date" else "")
        name = to if isinstance(to, str) else next(iter(to))
        readings = CASTS.get(CAST_KINDS.get(name, ""))
        if readings is None:
            raise SqlProblem("TRY_CAST makes text, numbers, dates, and true or false", "take one of these types")
        if part.kind not in (*readings, "nothing"):
            raise SqlProblem(f"{part.shown} is {WORDS[part.kind]}, of which TRY_CAST makes no {CAST_WORDS[name]}")
        read = readings.get(part.kind)
        tree = made(read, part.tree) if read else part.tree
        found = {"Cast": {"expr": tree, "dtype": inner["dtype"], "options": "NonStrict"}}
        if name in ("UInt64", "Int128", "UInt128"):
            found = cast(found, pl.Int64())
        return self.part(made(rewrites.finite, found) if name in ("Float32", "Float64") else found)

    def _function(self, node: Any, place: Place) -> Part:
        kind, detail = function_of(node)
        inputs = node["Function"]["input"]
        if _is_place(node):
            find = inputs[0]["BinaryExpr"]["left"]["Function"]["input"]
            return self.part(made(rewrites.place, *(self._text(part).tree for part in find)))
        if kind == "StringExpr":
            return self._of_text(node, detail, inputs)
        if kind == "TemporalExpr":
            return self._of_date(node, detail, inputs, place)
        if kind == "ListExpr":
            return self._of_list(node, detail, inputs)
        if kind == "Sql" and detail == "Binary":
            return self._arithmetic(node, node["Function"]["function"]["Sql"]["Binary"], inputs)
        if kind == "Sql" and detail == "IsIn":
            return self._is_in(node, inputs)
        if kind in ("Coalesce", "FillNull"):
            if not inputs:
                raise SqlProblem("`COALESCE` needs something to choose from")
            parts = self._alike(inputs, place, "the values of one column are of one type")
            return self.part(with_inputs(node, [part.tree for part in parts]))
        if kind in ("MaxHorizontal", "MinHorizontal"):
            return self.part(with_inputs(node, [part.tree for part in self._compared(inputs)]))
        return self._of_numbers(node, kind, detail, inputs)

    def _of_numbers(self, node: Any, kind: str, detail: str, inputs: Sequence[Any]) -> Part:
        if kind == "Boolean" and detail in ("IsNull", "IsNotNull"):
            return self.part(with_inputs(node, [self.part_of(inputs[0]).tree]))
        if kind == "Boolean" and detail == "Not":
            return self.part(with_inputs(node, [self._not(inputs[0]).tree]))
        parts = [self._number(part) for part in inputs]
        if kind == "Bitwise" and any(not part.whole for part in parts):
            raise SqlProblem(f"`BIT_COUNT` takes a whole number, but {parts[0].shown} is none")
        if kind == "Pow" and detail == "Generic":
            return self._power(node, inputs)
        trees = [part.tree for part in parts]
        if kind == "Log":
            return self.part(made(rewrites.finite, made(rewrites.logarithm, *trees)))
        if kind == "Sql" and detail == "Round" and parts[0].is_literal:
            trees = [
                cast(trees[0], pl.Float64())
            ]  # else 2.5 would be rounded as money is, a column with 2.5 as numbers
        found = self.part(with_inputs(node, trees))
        return self.part(made(rewrites.finite, found.tree)) if kind in _MAY_BE_NAN else found

    def _power(self, node: Any, inputs: Sequence[Any]) -> Part:
        """A power; of whole numbers a whole one, but where the exponent is negative as it stands."""
        base, exponent = (self._number(part["Function"]["input"][0]) for part in inputs)
        negative = exponent.is_literal and "Dyn" in exponent.tree["Literal"] and exponent.shown.startswith("`-")
        if base.whole and exponent.whole and not negative:
            return self.part(made(rewrites.power, base.tree, exponent.tree))
        floats = [cast(part.tree, pl.Float64()) for part in (base, exponent)]
        return self.part(made(rewrites.finite, with_inputs(node, floats)))

    def _is_in(self, node: Any, inputs: Sequence[Any]) -> Part:
        value, among = self.part_of(inputs[0]), self.part_of(inputs[1])
        if not isinstance(among.dtype, pl.List):
            raise SqlProblem(f"`ANY` takes a list, but {among.shown} is {WORDS[among.kind]}", LIST_HINT)
        inner = pl.Series(dtype=among.dtype).explode().dtype
        self._same_kind([value, Part(among.tree, inner, "what is listed")], "only values of one type are compared")
        return self.part(with_inputs(node, [value.tree, among.tree]))

    def _of_text(self, node: Any, detail: str, inputs: Sequence[Any]) -> Part:
        if detail == "ConcatHorizontal":
            return self.part(with_inputs(node, [self._as_text(part).tree for part in inputs]))
        if detail == "Strptime":
            return self._strptime(node, inputs)
        whole = _FIT_COUNTS.get(detail, ())
        parts = [self._count(part) if i in whole else self._text(part) for i, part in enumerate(inputs)]
        trees = [part.tree for part in parts]
        if detail == "Contains" or (
            detail == "Replace" and not node["Function"]["function"]["StringExpr"][detail]["literal"]
        ):
            return self._of_pattern(node, detail, parts)
        if detail == "Slice" and inputs[2] != NULL:
            return self.part(made(rewrites.part_of, *trees))
        if detail in ("PadStart", "PadEnd"):
            trees[1] = made(rewrites.length, trees[1])
        if detail.startswith("Strip") and inputs[1] == NULL:
            trees[1] = NULL
        if detail == "Slice":
            trees[2] = NULL
        return self.part(with_inputs(node, trees))

    def _of_pattern(self, node: Any, detail: str, parts: Sequence[Part]) -> Part:
        """A regular expression: one that stands in the SQL has to be one; one of a row finds nothing if it is none."""
        pattern = parts[1]
        if pattern.is_literal:
            problem = regex_problem(pattern.tree["Literal"]["Scalar"].get("String", ""))
            if problem:
                raise SqlProblem(f"cannot use the SQL: {problem}")
        elif detail == "Replace":
            raise SqlProblem("`REGEXP_REPLACE` takes a regular expression in 'single quotes'")
        else:
            node = {
                "Function": {
                    **node["Function"],
                    "function": {"StringExpr": {detail: {"literal": False, "strict": False}}},
                }
            }
        return self.part(with_inputs(node, [part.tree for part in parts]))

    def _strptime(self, node: Any, inputs: Sequence[Any]) -> Part:
        to, options = node["Function"]["function"]["StringExpr"]["Strptime"]
        if to["Literal"] == "Time":
            raise SqlProblem("segkit has no times of day without a date", "EXTRACT(HOUR FROM ...) gives the hour")
        part = self._text(inputs[0], "a date is read from text")
        layout, day = options["format"], to["Literal"] == "Date"
        if layout is None:
            return self.part(made(rewrites.day if day else rewrites.timestamp, part.tree))
        read = rewrites.written_day(layout) if day else rewrites.written_timestamp(layout)
        check_reading(layout, read)
        return self.part(made(read, part.tree))

    def _of_date(self, node: Any, detail: str, inputs: Sequence[Any], place: Place) -> Part:
        if detail in OF_TIME:
            return self.part(with_inputs(node, [self._timed(inputs[0], detail.upper()).tree]))
        if detail == "OffsetBy":
            return self._offset(node, inputs, place)
        part = self._of_kind(
            inputs[0], DAYS, "a function of dates takes a date", "moment" if sees_time(node) else "", DATE_HINT
        )
        if detail in ("Time", "BaseUtcOffset", "TotalSeconds"):
            raise SqlProblem("of the time of day, SQL gives HOUR, MINUTE, SECOND, EPOCH and STRFTIME")
        if detail == "ToString":
            check_layout(node["Function"]["function"]["TemporalExpr"]["ToString"], part)
        return self.part(with_inputs(node, [part.tree]))

    def _offset(self, node: Any, inputs: Sequence[Any], place: Place) -> Part:
        part = self._of_kind(inputs[0], DAYS, "an INTERVAL goes to a date", place, DATE_HINT)
        by = inputs[1]["Literal"]["Scalar"].get("String", "") if "Literal" in inputs[1] else ""
        if part.kind == "date" and re.search(r"[0-9](?:h|m|s|ms|us|µs|ns)(?![a-z])", by):
            raise SqlProblem(f"{part.shown} is a day, so an INTERVAL of hours does not move it", "take days")
        return self.part(with_inputs(node, [part.tree, inputs[1]]), part.shown)

    def _of_list(self, node: Any, detail: str, inputs: Sequence[Any]) -> Part:
        first = self._of_kind(inputs[0], ("list",), "a list function takes a list", hint=LIST_HINT)
        if detail in ("Sum", "Mean"):
            raise SqlProblem("a list holds texts, which are not added up")
        others = [self._count(part) if detail == "Get" else self._text(part) for part in inputs[1:]]
        return self.part(with_inputs(node, [first.tree, *(part.tree for part in others)]))


def _is_epoch(node: Any) -> bool:
    """Whether the node is how Polars writes the EPOCH of a timestamp."""
    left = node.get("BinaryExpr", {}).get("left", {}).get("BinaryExpr", {}).get("left", {})
    return function_of(left) == ("TemporalExpr", "TimeStamp")


def _is_place(node: Any) -> bool:
    """Whether the node is how Polars writes STRPOS."""
    if function_of(node)[0] != "FillNull":
        return False
    first = node["Function"]["input"][0]
    return function_of(first.get("BinaryExpr", {}).get("left", {})) == ("StringExpr", "Find")
