"""What a rule file that is made of another one has from it, and how its paths count from a new folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from segkit.errors import SegkitError
from segkit.io.write import FORMATS
from segkit.operations.discovering.saved.save import refuse_target, save_rules
from segkit.rules.text.loader import Overrides, load_rules

FROM_A_PIPE = """
version = 1
[customers]
path = "-"
key = "id"
"""


def test_standard_input_is_that_in_each_folder(tmp_path: Path) -> None:
    rules, saved = tmp_path / "rules.toml", tmp_path / "to/saved.toml"
    rules.write_text(FROM_A_PIPE, encoding="utf-8")
    loaded = load_rules(rules, formats=FORMATS, needs_segments=False)
    segment = ["[segment.all]", "everyone = true"]
    save_rules(loaded, str(saved), segment, command="basket", told=[])
    assert tomli.loads(saved.read_text(encoding="utf-8"))["customers"]["path"] == "-"


RULES = """
version = 1
as_of = 2024-06-30
timezone = "Europe/Berlin"
[customers]
path = ["a.csv", "more/b-*.csv"]
key = "id"
latitude = "lat"
longitude = "lon"
null_values = ["", "it's \\"nothing\\""]
[events.orders]
path = "${ORDERS}/orders.csv"
key = "id"
time = "day"
amount = "money"
where.state = { not_in = ["cancelled"] }
derive.net = '''
money -
tax'''
[events.refunds]
like = "orders"
path = "/data/refunds.csv"
[lookup.products]
into = "orders"
path = "sqlite:shop.db"
table = "products"
on = "sku"
[lookup.prices]
into = "orders"
path = "https://example.org/prices.csv"
on = "sku"
[rfm]
events = "orders"
cutoffs = "cut.toml"
method = "cutoffs"
[score.near]
max_score = 10.50
[[score.near.rule]]
geographic.inside = ["zones.geojson", { path = "more/zones.geojson", name = "Nord" }]
points = 3
[[score.near.rule]]
any = [{ geographic.inside = "zones.geojson" }, { demographic.path = "a.csv" }]
points = -2.25
[consent]
require.opt_in = true
suppress = "stop.csv"
[consent.channel.mail]
suppress = ["stop-mail.csv"]
[frequency_cap]
events = "orders"
max = 3
within = "7 days"
[assignment]
mode = "exclusive"
priority = ["all"]
control = 5
[output]
directory = "segments"
columns = ["id"]
hash = ["email"]
keep = 7
combined = "all.csv"
history = true
[cache]
directory = "cache"
[segment.all]
everyone = true
[[test]]
name = "one"
customer = { opt_in = true }
segments = ["all"]
"""
CUTOFFS = """
version = 1
recency = [30, 60, 90, 120]
frequency = [2, 3, 4, 5]
monetary = [10, 20, 30, 40]
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORDERS", "exports")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/cut.toml").write_text(CUTOFFS)
    path = tmp_path / "rules/source.toml"
    path.write_text(RULES)
    return path


def saved(source: Path, target: Path, **more: object) -> dict[str, object]:
    loaded = load_rules(source, formats=FORMATS)
    refuse_target(loaded, str(target))
    sections = ["[segment.found]", "everyone = true"]
    save_rules(loaded, str(target), sections, command="basket", told=["what was found"], **more)  # type: ignore[arg-type]
    return tomli.loads(target.read_text())


def test_paths_count_from_the_new_folder(source: Path, tmp_path: Path) -> None:
    made = saved(source, tmp_path / "found/today/new.toml")
    text = (tmp_path / "found/today/new.toml").read_text()
    for path in (
        *('["../../rules/a.csv", "../../rules/more/b-*.csv"]', '"../../rules/${ORDERS}/orders.csv"'),
        *('"/data/refunds.csv"', '"sqlite:../../rules/shop.db"', '"https://example.org/prices.csv"'),
        *('"../../rules/cut.toml"', '"../../rules/stop.csv"', '["../../rules/stop-mail.csv"]', '"../../rules/cache"'),
        *('"../../rules/zones.geojson"', '"../../rules/more/zones.geojson"', 'path = "a.csv"'),
    ):
        assert path in text, path
    assert made["output"] == {"directory": "new", "columns": ["id"], "hash": ["email"]}
    assert made["assignment"] == {"control": 5}
    assert "test" not in made
    assert made["segment"] == {"found": {"everyone": True}}


def test_all_else_means_the_same(source: Path, tmp_path: Path) -> None:
    saved(source, source.with_name("new.toml"))
    before, after = (load_rules(source.with_name(name), formats=FORMATS).rules for name in ("source.toml", "new.toml"))
    of_segments = ("segment", "test", "output", "assignment")
    for name in type(before).model_fields:
        if name not in of_segments:
            assert getattr(before, name) == getattr(after, name), name


def test_a_whole_path_in_a_variable_stays_one(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS", str(tmp_path))
    saved(source, tmp_path / "new.toml")
    assert '"${ORDERS}/orders.csv"' in (tmp_path / "new.toml").read_text()


def test_what_is_given_takes_the_place_of_keys(source: Path, tmp_path: Path) -> None:
    given = Overrides(customers=str(tmp_path / "prospects.csv"))
    made = saved(source, tmp_path / "new.toml", given=given, columns=["id", "score"], assignment_mode="exclusive")
    assert made["customers"]["path"] == "prospects.csv"  # type: ignore[index]
    assert made["output"]["columns"] == ["id", "score"]  # type: ignore[index]
    assert made["assignment"] == {"mode": "exclusive", "control": 5}


@pytest.mark.parametrize(
    ("name", "there", "message"),
    [
        ("rules/source.toml", None, "is an input"),
        ("rules/cut.toml", None, "is an input"),
        ("mine.toml", "version = 1\n", "is there already, and no discovery has written it"),
        ("rules.json", None, "rules are saved in a file of TOML"),
        ("s3://bucket/x.toml", None, "only local files are written"),
    ],
)
def test_what_is_not_written_over(source: Path, tmp_path: Path, name: str, there: str | None, message: str) -> None:
    target = tmp_path / name if "://" not in name else name
    if there:
        Path(target).write_text(there)
    before = Path(target).read_bytes() if Path(target).exists() else None
    with pytest.raises(SegkitError, match=message):
        saved(source, target)  # type: ignore[arg-type]
    assert before is None or Path(target).read_bytes() == before


def test_its_own_file_is_written_over_with_the_rights_of_the_source(source: Path, tmp_path: Path) -> None:
    source.chmod(0o600)
    target = tmp_path / "new.toml"
    saved(source, target)
    first = target.read_bytes()
    saved(source, target)
    assert target.read_bytes() == first
    assert target.stat().st_mode & 0o777 == 0o600


def test_lists_for_a_platform_stay_lists_for_it(source: Path, tmp_path: Path) -> None:
    """They go out as hashes there, and must not in clear here."""
    output = '[output]\ndirectory = "segments"\naudience = "meta"\n[output.fields]\nemail = "email"\n[cache]'
    source.write_text(RULES[: RULES.index("[output]")] + output + RULES[RULES.index("[cache]") + len("[cache]") :])
    made = saved(source, tmp_path / "new.toml", columns=["id", "email", "score"])
    assert made["output"] == {"directory": "new", "audience": "meta", "fields": {"email": "email"}}


def test_the_name_of_a_folder_is_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS", "exports")
    folder = tmp_path / "${HOME}"
    folder.mkdir()
    (folder / "cut.toml").write_text(CUTOFFS)
    (folder / "source.toml").write_text(RULES)
    saved(folder / "source.toml", tmp_path / "new.toml")
    made = load_rules(tmp_path / "new.toml", formats=FORMATS).rules
    assert made.customers.path == ("${HOME}/a.csv", "${HOME}/more/b-*.csv")
    assert made.events["orders"].path == "${HOME}/exports/orders.csv"
    given = Overrides(customers=str(folder / "prospects.csv"))
    saved(folder / "source.toml", tmp_path / "new.toml", given=given)
    assert load_rules(tmp_path / "new.toml", formats=FORMATS).rules.customers.path == "${HOME}/prospects.csv"
