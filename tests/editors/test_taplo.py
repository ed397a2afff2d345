"""Rule files in editors: what taplo's language server tells of them with the schema of `segkit schema`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.desk import Desk
from tests.editors.server import Editor, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

HEAD = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[segment.a]\ndemographic.age.min = 18\n'


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    desk = Desk(tmp_path_factory.mktemp("editor"))
    desk.segkit("schema", "-o", desk / "segkit.schema.json")
    editor = Editor(desk / "segkit.schema.json")
    yield editor
    editor.close()


MISTAKES = [
    # more of the file, what is underlined
    ("", []),
    ('label = "x"\n', []),
    ('labl = "x"\n', ["labl"]),
    ("demographic.x.gte = 3\n", ["gte"]),
    ("demographic.x = []\n", ["x"]),
    ('demographic.d.within = "3 moons"\n', ["within"]),
    ('behavioural.did = { events = "o", wher.kind = "x" }\n', ["wher"]),
    ('behavioural.did = [{ events = "o" }, { evens = "o", events = "o" }]\n', ["evens"]),
    ('behavioural.did = { events = "o", since = 2024-01-01 }\n', []),
    ('behavioural.did = { events = "o", since = "soon" }\n', ["since"]),
    ("behavioural.orders.mn = 3\n", ["mn"]),
    ("demographic.d.on = 2024-01-01\n", []),
    ("demographic.d.min = 2024-01-01T12:00:00Z\n", []),
    ('demographic.d.on = "soon"\n', ["on"]),
    ("[[segment.a.any]]\ndemografic.age.min = 3\n", ["demografic"]),
    ("[segment.Upper]\neveryone = true\n", ["Upper"]),
    ("write = 3\n", ["write"]),
    ("[outputs]\n", ["outputs"]),
    ('[events.o]\npath = "o.csv"\ntime = "day"\namount_pr = "row"\n', ["amount_pr"]),
]


@pytest.mark.parametrize(("more", "underlined"), MISTAKES)
def test_a_mistake_is_underlined_once(editor: Editor, more: str, underlined: list[str]) -> None:
    assert [mistake.text for mistake in editor.mistakes(HEAD + more)] == underlined


COMPLETIONS = [
    # the file up to where one types, some of what is offered
    ("demographic.size = { m| }", {"min", "max", "missing", "matches"}),
    ("behavioural.orders = { m| }", {"min", "max", "missing", "matches"}),
    ("behavioural.did = { e| }", {"events", "where", "measure", "within"}),
    ("[output]\n|", {"directory", "format", "columns"}),
    ("[output]\nformat = |", {'"csv"', '"parquet"'}),
    ("[events.o]\n|", {"path", "time", "amount"}),
]


@pytest.mark.parametrize(("typed", "some"), COMPLETIONS)
def test_each_key_is_offered_once(editor: Editor, typed: str, some: set[str]) -> None:
    offered = [label for label in editor.completions(f"{HEAD}{typed}\n") if label]
    assert some <= set(offered)
    assert len(offered) == len(set(offered))


HOVERS = [
    ('[output]\nfor|mat = "csv"', "The format of every file."),
    (
        'behavioural.di|d = { events = "o" }',
        "The event condition holds, or all of them; at least one event in its window.",
    ),
    ('behavioural.did = { eve|nts = "o" }', "The event table."),
    ("demographic.size = { m|in = 3 }", "At least; numbers and dates."),
    ("behavioural.orders = { m|in = 3 }", "At least; numbers and dates."),
    ('[events.o]\nti|me = "x"', "The column with the date or timestamp of the event; always given, but with `like`."),
    ('[lookup.o]\ndecim|al = "."', "The decimal mark in numbers."),
    ('[lookup.o]\npa|th = "x"', "File or glob (`orders/*.csv`), relative to the rule file"),
]


@pytest.mark.parametrize(("hovered", "shown"), HOVERS)
def test_a_key_says_what_it_is(editor: Editor, hovered: str, shown: str) -> None:
    assert editor.hover(f"{HEAD}{hovered}\n").startswith(shown)


@pytest.fixture(scope="module")
def own_editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor with the schema of one rule file."""
    desk = Desk(tmp_path_factory.mktemp("own"))
    desk.put("c.csv", "id,shade,email\n" + "".join(f"{n},{'red' if n % 2 else 'blue'},a{n}@b.fr\n" for n in range(20)))
    desk.put("o.csv", "id,day\n1,2024-01-01\n")
    events = '[events.orders]\npath = "o.csv"\ntime = "day"\n'
    rules = desk.put(
        "rules.toml", f'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n{events}[segment.all]\neveryone = true\n'
    )
    desk.segkit("schema", "--for", rules, "-o", desk / "own.schema.json")
    editor = Editor(desk / "own.schema.json")
    yield editor
    editor.close()


def test_names_of_the_file_itself(own_editor: Editor) -> None:
    start = 'version = 1\n[customers]\npath = "c.csv"\nkey = "id"\n[segment.a]\n'
    for text, underlined in (
        ('demographic.shade = "green"\n', []),
        ("demographic.shdae = 3\n", ["shdae"]),
        ('behavioural.did = { events = "visits" }\n', ["events"]),
        ('in_segment = "al"\n', ["in_segment"]),
    ):
        assert [mistake.text for mistake in own_editor.mistakes(start + text)] == underlined
    for text, offered in (
        ("demographic.shade = { is = | }\n", {'"red"', '"blue"'}),
        ("behavioural.did = { events = | }\n", {'"orders"'}),
        ("in_segment = |\n", {'"all"'}),
        ("[output]\ncolumns = [|]\n", {'"shade"', '"email"'}),
    ):
        assert offered <= set(own_editor.completions(start + text))
    assert own_editor.hover(start + "demographic.sha|de.missing = true\n") == 'text; such as "blue", "red"'
    assert own_editor.hover(start + "demographic.em|ail.missing = true\n") == "text"
