"""What is wrong with a text that is not TOML, in words for people who do not write TOML daily."""

from __future__ import annotations

import re

import tomli

from segkit import codes
from segkit.addresses import masked_over_lines
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.rules.wording.another_column import OPERATORS

_DECIMAL_COMMA = re.compile(r"=\s*-?\d+,\d")
_THOUSANDS = re.compile(r"=\s*(-?\d{1,3}(?:,\d{3})+)(?!\d)")
_DAY = re.compile(r"=\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_SUBJECT = re.compile(r"\s*(\[\[?[^\]]*\]\]?|[^=]*[^=\s])")
_TWICE = re.compile("Cannot (declare|overwrite|mutate|redefine)|Duplicate inline table key")
_QUOTES = "“”„‟‘’‚«»`"
_WORDS: tuple[tuple[str, str, str], ...] = (
    (
        "Expected '=' after a key",
        "a key is followed by `=` and a value",
        'a name with spaces stands in quotes: `"last name" = "Smith"`',
    ),
    (
        "Invalid statement|Invalid initial character for a key part",
        "here a key or a `[section]` should begin",
        "one key a line: `key = value`",
    ),
    (
        "Invalid value",
        "this is not a value",
        "texts stand in quotes, numbers have a decimal point, `true` and `false` are in small letters",
    ),
    (
        "Illegal character '\\\\n'|Unterminated string|Expected [\"']['\"]",
        "the text is not closed",
        "add the closing quote",
    ),
    (
        "Unescaped|Invalid hex value",
        "a backslash in double quotes has a meaning of its own",
        "put the text in single quotes: `'C:\\data\\customers.csv'`, `'^\\d+$'`",
    ),
    ("Unclosed array", "here `,` or `]` is missing", "a list is `[1, 2, 3]`, also over several lines"),
    ("Unclosed inline table", "here `,` or `}` is missing", "a table is `{ min = 18, max = 65 }`"),
    (
        "Expected '\\]\\]?' at the end",
        "here `]` is missing",
        "a header is `[section]`, or `[[section]]` for one of several",
    ),
    (
        "Expected newline or end of document",
        "something follows the value",
        "one key a line; texts stand in quotes, comments begin with `#`",
    ),
    ("Invalid date", "there is no such date", "a date is `2024-02-29`: year, month, day"),
)


def syntax_diagnostic(error: tomli.TOMLDecodeError, text: str, name: str) -> Diagnostic:
    """The diagnostic for a parser's error, at its line and column."""
    line = masked_over_lines(text.replace("\r\n", "\n")).split("\n")[error.lineno - 1]
    subject = _SUBJECT.match(line)
    if _TWICE.match(error.msg) and subject:
        place = SourceLocation(
            path=name, line=error.lineno, column=subject.start(1) + 1, width=len(subject[1]), text=line
        )
        return Diagnostic(f"`{subject[1]}` is there already", place, _twice(subject[1]), code=codes.SYNTAX)
    message, hint = _in_words(error.msg, line, error.colno)
    place = SourceLocation(path=name, line=error.lineno, column=error.colno, width=1, text=line)
    return Diagnostic(message, place, hint, code=codes.SYNTAX)


def _twice(subject: str) -> str:
    if subject.startswith("[["):
        return "write `[[...]]` each time, also the first"
    return "join the two, or rename one" if subject.startswith("[") else "keep one of the two"


def _instead_of_equals(line: str, column: int) -> str | None:
    """What to write in place of what stands where `=` should."""
    here, subject = line[column - 1 : column], line[: column - 1].strip()
    match here:
        case "," if " " not in subject:
            return "the parts of a name have dots between them: `demographic.age`"
        case "<" | ">":
            sign = here + line[column : column + 1].strip("<> 0123456789")
            return f"write `{subject}.{OPERATORS.get(sign, OPERATORS[here])} = ...`"
        case ":":
            return f"write `{subject} = ...`"
        case "":
            return f"a section stands in brackets: `[{subject}]`"
    return None


def _in_words(problem: str, line: str, column: int) -> tuple[str, str | None]:
    here = line[column - 1 : column]
    if here and here in _QUOTES:
        return f"`{here}` is not a quote of TOML", 'texts stand in straight quotes: `"..."`'
    word = next((one for one in re.finditer(r"[\w-]+", line) if one.start() < column <= one.end()), None)
    if word and not here.isascii() and "Invalid value" not in problem:
        return "a name with letters other than a-z stands in quotes", f'write `"{word[0]}"`'
    if "Expected ']" in problem and (header := re.match(r"\s*(\[\[?[^\]]*?\]\]?)", line)) and " " in header[1]:
        return "a name has no spaces", f"write `{re.sub(' +', '-', header[1])}`"
    if "Expected '=' after a key" in problem and (hint := _instead_of_equals(line, column)):
        return "a key is followed by `=` and a value", hint
    if problem.startswith("Invalid value") and here in ("=", "<", ">"):
        return "a key is followed by one `=` and a value", "comparisons are keys: `age.min = 18`, `age.below = 65`"
    if "newline" in problem and here == "," and (number := _THOUSANDS.search(line)):
        return "a number has no comma between its thousands", f"write `{number[1].replace(',', '_')}`"
    if "newline" in problem and here == "," and _DECIMAL_COMMA.search(line):
        return "a number has a decimal point, not a comma", "such as `1.80`"
    if "newline" in problem and _DAY.search(line):
        return "a date begins with the year", "such as `2024-02-29`: year, month, day, without quotes"
    for pattern, message, hint in _WORDS:
        if re.match(pattern, problem):
            return message, hint
    return f"this is not TOML: {problem[:1].lower()}{problem[1:]}", None
