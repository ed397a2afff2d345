"""What `[output]` says about runs that are kept, changes, and columns that go out hashed or under pseudonyms."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.results.terms import CONTROL
from segkit.rules.findings import Finding
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.platforms import hashed_by_platform
from segkit.words import nearest

PROTECTED = ("hash", "pseudonymise")
RESERVED = ("rules", "run")


def check_publication(rules: RuleFile) -> Iterator[Finding]:
    """Everything that these keys ask for and that is not possible."""
    yield from _a_folder_a_day(rules)
    yield from _protected(rules)
    yield from _tracked(rules)
    yield from _reserved(rules)


def _reserved(rules: RuleFile) -> Iterator[Finding]:
    """Names that are those of what a run keeps beside its lists."""
    taken = dict.fromkeys(RESERVED, "what a run keeps")
    if rules.output.history:
        taken["history"] = "what a run keeps"
    if rules.assignment.control:
        taken[CONTROL] = "the control group"
    for name, what in taken.items():
        message = f"`{name}` stands for {what}"
        if name in rules.segment:
            yield Finding(("segment", name), message, "choose another name for it", code=codes.NAME_TAKEN)
        if rules.output.combined and rules.output.combined.partition(".")[0] == name:
            hint = "choose another name, such as `all.csv`"
            yield Finding(("output", "combined"), message, hint, code=codes.NAME_TAKEN)
    if CONTROL in taken and rules.output.format == "xlsx" and rules.output.workbook == f"{CONTROL}.xlsx":
        message = f"`{rules.output.workbook}` is the file of {taken[CONTROL]}"
        yield Finding(("output", "workbook"), message, "choose another name", code=codes.NAME_TAKEN)


def _a_folder_a_day(rules: RuleFile) -> Iterator[Finding]:
    output = rules.output
    if "{as_of}" not in output.directory:
        return
    if output.keep is not None:
        message = "`keep` makes a folder for each run, and `{as_of}` in `directory` another one around it"
        yield Finding(("output", "keep"), message, "take `{as_of}` out of `directory`", code=codes.CONTRADICTION)
        return
    for key in ("changes", "history", "track"):
        if getattr(output, key):
            message = f"`{key}` looks for the last run in the directory, and each `as_of` has its own"
            hint = "take `{as_of}` out of `directory`; `keep = 7` keeps the last seven runs"
            yield Finding(("output", key), message, hint, code=codes.CONTRADICTION)


def _tracked(rules: RuleFile) -> Iterator[Finding]:
    """Columns that are kept by key: in clear, so none that goes out in another form."""
    output = rules.output
    for position, column in enumerate(output.track):
        path = ("output", "track", position)
        if column in output.track[:position]:
            yield Finding(path, f"`{column}` is there twice", code=codes.CONTRADICTION)
        elif column == rules.customers.key:
            hint = "take it out: what is tracked has few values"
            yield Finding(path, f"`{column}` is the key of the customers", hint, code=codes.CONTRADICTION)
        elif how := _hidden_by(output, column):
            message = f"`track` keeps the values of `{column}`, and `{how}` is there to hide them"
            yield Finding(path, message, "take it out of one of the two", code=codes.CONTRADICTION)


def _hidden_by(output: Output, column: str) -> str | None:
    """The key that hides a column; a city that a platform takes hashed may be told all the same."""
    lists = {"hash": output.hash, "pseudonymise": output.pseudonymise}
    lists["audience"] = tuple(hashed_by_platform(output, names_one=True))
    return next((key for key, columns in lists.items() if column in columns), None)


def _protected(rules: RuleFile) -> Iterator[Finding]:
    output = rules.output
    for key in PROTECTED:
        listed = getattr(output, key)
        for position, column in enumerate(listed):
            path = ("output", key, position)
            if column in listed[:position]:
                yield Finding(path, f"`{column}` is there twice", code=codes.CONTRADICTION)
            elif key == "pseudonymise" and column in output.hash:
                yield Finding(
                    path, f"`{column}` is in `hash`, too", "take it out of one of the two", code=codes.CONTRADICTION
                )
            elif column == output.label_column:
                yield Finding(
                    path,
                    f"`{column}` is the label of the segment",
                    "it names no customer: take it out",
                    code=codes.CONTRADICTION,
                )
            elif _is_left_out(rules, column):
                near = nearest(column, (rules.customers.key, *(output.columns or ())))
                hint = near or "take it out: what is not written needs no protection"
                yield Finding(
                    path, f"`{column}` is not among the columns that are written", hint, code=codes.UNKNOWN_COLUMN
                )
            yield from _in_file_names(rules, key, column)
    for column in sorted(hashed_by_platform(output, names_one=True)):
        yield from _in_file_names(rules, "audience", column)


def _is_left_out(rules: RuleFile, column: str) -> bool:
    if rules.output.columns is None:
        return column in rules.trait  # by default, the columns of the customer file go out
    return column not in (*rules.output.columns, rules.customers.key)


def _in_file_names(rules: RuleFile, key: str, column: str) -> Iterator[Finding]:
    for name, segment in rules.segment.items():
        if column in segment.each:
            message = f"`each` puts the values of `{column}` into names of files, and `{key}` is there to hide them"
            yield Finding(
                ("segment", name, "each"),
                message,
                "choose another column, or take one of the two out",
                code=codes.CONTRADICTION,
            )
