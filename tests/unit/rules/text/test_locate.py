from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli

from segkit.rules.text.locate import Index

CASES = Path(__file__).parents[3] / "cases"
FILES = sorted(CASES.glob("*/*/rules.toml"))


def marked(text: str, *path: str | int, value: bool = False) -> tuple[int | None, str]:
    """The line of a path, and what the caret marks there."""
    index = Index.of(text)
    place = index.value(path, "rules.toml") if value else index.key(path, "rules.toml")
    assert place.text is not None
    assert place.column is not None
    return place.line, place.text[place.column - 1 : place.column - 1 + place.width]


def test_keys_of_every_shape() -> None:
    text = """# [not.a.header]
a.'b c'."d\\u0041" = 1 # = 2
"e" = { f.g = 1, "h" = [ { i = 2 }, # } ]
  { i = '''
]''', j = "\\"" } ] }
k = 1979-05-27 07:32:00
"""
    assert marked(text, "a", "b c", "dA") == (2, '"d\\u0041"')
    assert marked(text, "a", "b c") == (2, "'b c'")
    assert marked(text, "e", "f", "g") == (3, "g")
    assert marked(text, "e", "h", 0, "i") == (3, "i")
    assert marked(text, "e", "h", 1, "j") == (5, "j")
    assert marked(text, "e", "h", 1, "j", value=True) == (5, '"\\""')
    assert marked(text, "e", "h", 1) == (4, "{ i = '''")
    assert marked(text, "k", value=True) == (6, "1979-05-27 07:32:00")


def test_arrays_of_tables() -> None:
    text = "[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n[a.b.d]\ne = 3\n[[a.b.f]]\ng = 4\n[[a.b]]\n[a.b.d]\ne = 5\n"
    assert marked(text, "a", "b", 0, "c")[0] == 2
    assert marked(text, "a", "b", 1, "c")[0] == 4
    assert marked(text, "a", "b", 1, "d", "e")[0] == 6
    assert marked(text, "a", "b", 1, "f", 0, "g")[0] == 8
    assert marked(text, "a", "b", 2, "d", "e")[0] == 11
    assert marked(text, "a", "b", 2) == (9, "b")


def test_nearest_ancestor() -> None:
    text = '[segment.x]\nrfm = "champions"\nbehavioral.did = { events = "orders" }\n'
    assert marked(text, "segment", "x", "rfm", "rfm_segment", "is") == (2, "rfm")
    # One event condition stands for a list of one, and the second spelling for the first.
    assert marked(text, "segment", "x", "behavioural", "did", 0, "events") == (3, "events")
    assert marked(text, "segment", "x", "label") == (1, "x")
    assert str(Index.of(text).key(("output",), "rules.toml")) == "rules.toml"


def test_columns_count_characters_and_lines_may_end_in_crlf() -> None:
    assert marked('"é" = { a = 1 }\r\n"ü" = [1,\r\n2]\r\n', "é", "a") == (1, "a")
    assert marked('"é" = 1\r\n"ü" = [1,\r\n2]\r\n', "ü", value=True) == (2, "[1,")


def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_key_of_every_case_is_found(file: Path) -> None:
    text = file.read_text(encoding="utf-8-sig")
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    index = Index.of(text)
    assert set(paths(data)) == set(index.keys)
