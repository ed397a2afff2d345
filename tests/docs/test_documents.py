"""The documents are true: commands print what they show, rule files run, links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from segkit.cli import main
from segkit.cli.group import COMMANDS
from segkit.io.write import FORMATS
from segkit.rules.model.blocks import FAMILIES
from segkit.rules.model.computed.rfm_maps import STANDARD, rf
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.conditions import Condition

ROOT = Path(__file__).parents[2]
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "configs/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("segkit_docs_generate", ROOT / "docs/generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = _generator()
STALE = f"{{}} is out of date: run `{generate.COMMAND}`"


@pytest.fixture(params=TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def text(request: pytest.FixtureRequest) -> str:
    """Each Markdown file."""
    path: Path = request.param
    return path.read_text(encoding="utf-8")


EXTRAS = {
    "docs/cli.md": [pytest.mark.extra("report", "discover")],
    "docs/tour.md": [pytest.mark.extra("report", "discover")],
    "docs/recipes.md": [pytest.mark.extra("geo", "predict", "excel", "database", "discover")],
    "docs/rule-file.md": [pytest.mark.extra("geo")],
    "examples/leads/README.md": [pytest.mark.extra("predict")],
}
"""The documents with rules that need an extra."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=EXTRAS.get(name, [])) for name in generate.DOCUMENTS])
def test_a_document_shows_what_segkit_does(name: str) -> None:
    assert generate.masked((ROOT / name).read_text(encoding="utf-8")) == generate.masked(generate.document(name)), (
        STALE.format(name)
    )


def test_the_schema_is_current() -> None:
    assert generate.SCHEMA.read_text(encoding="utf-8") == generate.schema_text(generate.json_schema(FORMATS)), (
        STALE.format("the schema")
    )


def test_the_page_of_codes_is_current() -> None:
    assert generate.CODES.read_text(encoding="utf-8") == generate.codes_markdown(), STALE.format("the page of codes")


def test_the_picture_is_current() -> None:
    assert generate.is_current(generate.PICTURE, generate.picture()), STALE.format("the picture in the README")


@pytest.mark.extra("charts")
def test_the_chart_shows_what_segkit_finds() -> None:
    """Not byte by byte: another version of Altair may draw the same in another way."""

    def texts(svg: str) -> list[str]:
        return re.findall(r"<(?:text|tspan)[^>]*>([^<]+)<", svg)

    assert texts(generate.CHART.read_text(encoding="utf-8")) == texts(generate.chart()), STALE.format("the chart")


def test_every_document_with_blocks_is_run() -> None:
    with_blocks = {
        str(path.relative_to(ROOT)) for path in TEXTS if list(generate.blocks(path.read_text(encoding="utf-8")))
    }
    assert with_blocks == set(generate.DOCUMENTS)


NEEDS = [block.needs for path in TEXTS for block in generate.blocks(path.read_text("utf-8")) if block.needs]
NEEDED = sorted({one for needs in NEEDS for one in needs.split(", ")})


@pytest.mark.parametrize("program", NEEDED)
def test_programs_of_recipes_are_here(program: str) -> None:
    """Without them, their blocks were not run: that is said."""
    if shutil.which(program) is None and not (program == "$CRM" and generate.SERVER):
        pytest.skip(f"needs `{program}`: recipes with it were not run")


def test_what_is_not_run_says_why(text: str) -> None:
    for block in generate.blocks(text):
        assert block.language in {"console", "toml", "csv", "text", "sh", "python", "pycon"}
        assert block.not_run or block.language != "sh"
        if block.language == "console" and block.not_run:
            assert block.not_run == "needs your data"


def test_the_first_command_of_the_readme_does_what_the_example_shows() -> None:
    first, second = (
        block.lines
        for block in generate.blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if block.language == "sh"
    )
    assert len(first) == len(second) == 1
    assert first[0].endswith(f"&& .venv/bin/segkit apply {generate.RULES}")
    assert second[0].endswith("&& .venv/bin/python -m pytest")
    example = (ROOT / generate.RULES).with_name("README.md").read_text(encoding="utf-8")
    assert f"$ segkit apply {generate.RULES}" in example


def test_the_readme_has_the_size_of_a_readme() -> None:
    assert 3_000 <= len((ROOT / "README.md").read_bytes()) <= 7_000


def test_no_text_installs_another_package(text: str) -> None:
    assert not re.search(r"pip3? install (?:-\S+ )*segkit(?!-cli)\b", text)


def test_no_text_speaks_of_this_machine(text: str) -> None:
    assert not re.search(r"/work/|/tmp/|\bsk (?:apply|rfm|check)\b|shared/data", text)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in _links(path.read_text(encoding="utf-8")):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        assert other.exists(), target
        if anchor:
            assert anchor in set(_anchors(other.read_text(encoding="utf-8"))), target


def _links(text: str) -> Iterator[str]:
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", prose)


def _anchors(text: str) -> Iterator[str]:
    """As GitHub makes them of headings."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower().strip()).replace(" ", "-")
        number = seen.get(anchor, 0)
        seen[anchor] = number + 1
        yield f"{anchor}-{number}" if number else anchor


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## {name}\n" in text and f"$ segkit {name} -h\n" in text


@pytest.mark.extra("report")
def test_every_field_of_json_is_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("## JSON")[2]
    parts = {part.split("`")[1]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}
    names = ("apply", "rfm", "cohorts", "explain", "check", "test", "columns", "diff", "history", "report")
    apply, rfm, cohorts, explain, check, test, columns, diff, history, report = (
        parts[f"segkit {name} --json"] for name in names
    )
    shop, rules = ROOT / "docs/shop", tmp_path / "rules.toml"
    rules.write_text(
        (shop / "base.toml").read_text(encoding="utf-8").replace('path = "', f'path = "{shop.as_posix()}/')
        + '[trait.n]\nevents = "orders"\n[rfm]\nevents = "orders"\nbins = 3\n[output]\nprofile = ["n"]\n'
        "[segment.a]\neveryone = true\n[segment.b]\neveryone = true\n[[test]]\nname = 'no'\nsegments = ['a']\n",
        encoding="utf-8",
    )
    orders = str(shop / "orders.csv")
    exclusive = rules.with_name("exclusive.toml")
    kept = rules.read_text().replace("[output]\n", "[output]\nhistory = true\ntrack = ['n']\n")
    exclusive.write_text(kept + '[assignment]\nmode = "exclusive"\n')
    for folder, as_of in (("old", "2024-01-01"), ("new", "2024-06-30")):
        run = ["apply", str(exclusive), "-q", "-o", str(tmp_path / folder), "--as-of", as_of]
        assert CliRunner().invoke(main, run).exit_code == 0
    for part, args in (
        (diff, ["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--json"]),
        (history, ["history", str(tmp_path / "old"), "--json"]),
        (history, ["history", str(tmp_path / "old"), "--moves", "--json"]),
        (report, ["report", str(tmp_path / "old"), "-o", str(tmp_path / "old.html"), "--json"]),
        (apply, ["apply", str(rules), "--dry-run", "--json"]),
        (rfm + apply, ["rfm", orders, "--as-of", "2024-06-30", "--json"]),
        (cohorts + apply, ["cohorts", orders, "--as-of", "2024-06-30", "--json"]),
        (explain + apply, ["explain", str(rules), "--json"]),
        (explain + apply, ["explain", str(rules), "c01", "--json"]),
        (check, ["check", str(rules), "--data", "--json"]),
        (test + explain, ["test", str(rules), "--json"]),
        (columns, ["columns", str(rules), "--json"]),
        (columns, ["columns", str(rules), "--values", "--json"]),
    ):
        printed = json.loads(CliRunner().invoke(main, args).stdout)
        printed.pop("schema_version")
        known = set(re.findall(r"`(\w+)`", part))
        assert _fields(printed) <= known, args


def _fields(value: Any) -> set[str]:
    """The names in a JSON object, but for those that are data: columns, reasons, options."""
    if isinstance(value, list):
        return set().union(*map(_fields, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for name, inner in value.items():
        if name == "profile":
            found |= set().union(*(_fields(column) for column in inner.values()))
        elif name not in {"excluded", "left_out", "detected", "guesses", "values"}:
            found |= _fields(inner)
    return found


def test_the_maps_are_those_of_the_code() -> None:
    text = (ROOT / "docs/rule-file.md").read_text(encoding="utf-8")
    standard = {
        tuple(map(int, code)): name
        for name, codes in re.findall(r"^\| (\w+) \| (\d{3}(?: \d{3})+) \|$", text, flags=re.MULTILINE)
        for code in codes.split()
    }
    assert standard == STANDARD
    ranges = re.findall(r"^\| (\w+) \| (\d)(?:-(\d))? \| (\d)(?:-(\d))? \|$", text, flags=re.MULTILINE)
    cells = {
        (r, f): name
        for name, r1, r2, f1, f2 in ranges
        for r in range(int(r1), int(r2 or r1) + 1)
        for f in range(int(f1), int(f2 or f1) + 1)
    }
    assert cells == {(r, f): name for (r, f, _), name in rf().items()}


def test_the_reference_names_everything() -> None:
    text = (ROOT / "docs/rule-file.md").read_text(encoding="utf-8")
    prose = text.partition("## Every key")[0]
    operators = {field.alias or name for name, field in Condition.model_fields.items()}
    assert operators <= set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    measures = Trait.model_fields["measure"].annotation
    assert measures is not None
    for name in (*FAMILIES, *measures.__args__):
        assert f"`{name}`" in prose


def test_the_shop_starts_as_the_recipes_say() -> None:
    recipes = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    block = next(b for b in generate.blocks(recipes) if b.file == "base.toml")
    assert "\n".join(block.lines) + "\n" == (ROOT / "docs/shop/base.toml").read_text(encoding="utf-8")


@pytest.mark.extra("excel")
def test_the_workbook_of_the_shop_has_the_rows_of_its_files(tmp_path: Path) -> None:
    shop, rules = ROOT / "docs/shop", tmp_path / "rules.toml"
    recipes = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    of_sheets = "\n".join(next(b for b in generate.blocks(recipes) if b.file == "excel.toml").lines)
    of_sheets = re.sub("^workbook = .*$", "", of_sheets, flags=re.MULTILINE)
    of_sheets = of_sheets.replace(
        '"name", "email", "revenue"', '"name", "birth_date", "postcode", "signed_up", "revenue"'
    )
    of_files = re.sub(r'path = "shop.xlsx"\nsheet = "(\w+)"', lambda m: f'path = "{m[1].lower()}.csv"', of_sheets)
    assert of_files.count(".csv") == 2
    lists = []
    for text in (of_sheets, of_files):
        rules.write_text(text.replace('path = "', f'path = "{shop.as_posix()}/'), encoding="utf-8")
        done = CliRunner().invoke(main, ["apply", str(rules), "-o", "-", "-q"])
        assert done.exit_code == 0, done.output
        lists.append(done.stdout)
    assert lists[0] == lists[1] != ""


def test_the_changelog_knows_this_version() -> None:
    from segkit import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
