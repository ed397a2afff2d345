"""The street plan: rooms of a size, and documents that name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/segkit"
MOST_MODULES = 12
ONE_VERB_EACH = SOURCE / "cli/commands"
GUIDES = ["CONTRIBUTING.md", "docs/how-it-works.md"]


def rooms() -> list[Path]:
    return sorted({path.parent for path in SOURCE.rglob("*.py")})


@pytest.mark.parametrize("room", rooms(), ids=lambda room: str(room.relative_to(SOURCE)))
def test_a_room_has_no_more_modules_than_one_can_overlook(room: Path) -> None:
    modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES or room == ONE_VERB_EACH


def named(guide: str) -> list[str]:
    """The files and folders that a guide names in its prose."""
    prose = re.sub(r"^```.*?^```$", "", (ROOT / guide).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\s]+)`", prose)
    return sorted({span for span in spans if re.fullmatch(r"[\w.-]+(/[\w.*-]*)+|[\w-]+\.(py|md|toml)", span)})


@pytest.mark.parametrize(("guide", "name"), [(guide, name) for guide in GUIDES for name in named(guide)])
def test_what_a_guide_names_is_there(guide: str, name: str) -> None:
    assert any((base / name).exists() for base in (ROOT, SOURCE)), f"{guide} names {name}"


def test_the_guides_name_something() -> None:
    assert all(len(named(guide)) > 5 for guide in GUIDES)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_names_in_files_are_there_too(guide: str) -> None:
    """`FORMATS` of `io/write/formats.py`."""
    prose = (ROOT / guide).read_text(encoding="utf-8")
    for name, file in re.findall(r"`(\w+)`\s+(?:of|in)\s+`([\w/]+\.py)`", prose):
        assert re.search(rf"\b{name}\b", (SOURCE / file).read_text(encoding="utf-8")), (name, file)


def test_contributing_draws_the_rooms_that_there_are() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn, above = set(), ""
    for indent, name in re.findall(r"^( {2}| {4})([a-z_]+)/[ \n]", text, flags=re.MULTILINE):
        above = name if len(indent) == 2 else above
        drawn.add(name if len(indent) == 2 else f"{above}/{name}")
    there = {str(room.relative_to(SOURCE)) for room in rooms() if len(room.relative_to(SOURCE).parts) in (1, 2)}
    assert there - drawn <= {"cli/commands", "report/text"}
    assert drawn <= there
