import datetime as dt
import hashlib
import io
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from segkit.errors import RuleError
from segkit.io.write import FORMATS
from segkit.rules.check.references import check_references
from segkit.rules.text import loader
from segkit.rules.text.loader import Loaded, Overrides

load_rules = partial(loader.load_rules, formats=FORMATS)
load_rules_text = partial(loader.load_rules_text, formats=FORMATS)
RULES = """version = 1
[customers]
path = "customers.csv"
key = "id"
[events.orders]
path = "${ORDERS}"
time = "at"
[segment.tall]
demographic.height.min = 1.80
"""


def messages(caught: pytest.ExceptionInfo[RuleError]) -> list[str]:
    return [problem.message for problem in caught.value.diagnostics]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(b"\xef\xbb\xbf" + RULES.encode())
    loaded = load_rules(file, env={"ORDERS": "o.csv"})
    assert loaded.rules.events["orders"].path == "o.csv"
    assert loaded.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert loaded.source.path == str(file)
    assert loaded.source.directory == tmp_path
    assert str(loaded.source.at("customers", "key")) == f"{file}:4:1"
    assert str(loaded.source.value_at("customers", "key")) == f"{file}:4:7"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(RULES.encode())))
    loaded = load_rules(Path("-"), env={"ORDERS": "o.csv"})
    assert str(loaded.source.at("version")) == "<stdin>:1:1"
    assert loaded.source.directory == Path()


def test_numbers_are_exact() -> None:
    loaded = load_rules_text(RULES, env={"ORDERS": "o.csv"})
    condition = loaded.rules.segment["tall"].demographic["height"]
    assert condition.min == Decimal("1.80")
    assert str(condition.min) == "1.80"


def test_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS", "from the environment")
    assert load_rules_text(RULES).rules.events["orders"].path == "from the environment"


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        ("${A}", {"A": "x"}, "x"),
        ("${A}", {"A": ""}, ""),
        ("${A:-y}", {}, "y"),
        ("${A:-y}", {"A": ""}, "y"),
        ("${A:-y}", {"A": "x"}, "x"),
        ("${A:-}", {}, ""),
        ("a${A}b${A}", {"A": "${A}"}, "a${A}b${A}"),
        ("$${A}", {}, "${A}"),
        ("$A ${1} ${} $", {"A": "x"}, "$A ${1} ${} $"),
    ],
)
def test_environment(text: str, env: dict[str, str], expected: str) -> None:
    rules = f'version = 1\ncustomers = {{ path = "c", key = "id" }}\nsegment.a.demographic.x = "{text}"\n'
    assert load_rules_text(rules, env=env).rules.segment["a"].demographic["x"].is_ == expected


def test_a_date_from_the_environment() -> None:
    text = 'as_of = "${DAY}"\n' + RULES
    assert load_rules_text(text, env={"DAY": "2024-02-29", "ORDERS": "o"}).rules.as_of == dt.date(2024, 2, 29)


def test_like_takes_what_it_does_not_say_itself() -> None:
    text = RULES + (
        '[events.returns]\nlike = "orders"\nwhere.status = "returned"\n'
        '[events.abroad]\nlike = "returns"\npath = "abroad.csv"\n'
    )
    loaded = load_rules_text(text, "rules.toml", env={"ORDERS": "o.csv"})
    events = loaded.rules.events
    assert (events["returns"].path, events["returns"].time) == ("o.csv", "at")
    assert (events["abroad"].path, events["abroad"].time) == ("abroad.csv", "at")
    assert events["abroad"].where == events["returns"].where
    assert events["orders"].where == {}
    assert str(loaded.source.at("events", "abroad", "time")) == "rules.toml:7:1"
    assert str(loaded.source.at("events", "abroad", "where", "status")) == "rules.toml:12:7"
    assert str(loaded.source.at("events", "abroad", "path")) == "rules.toml:15:1"


def test_overrides_come_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = Overrides(
        as_of=dt.date(2024, 1, 1), customers="c.csv", events={"orders": "s3://b/o"}, output="out", format="parquet"
    )
    rules = load_rules_text(RULES, env={}, overrides=given).rules
    assert rules.as_of == dt.date(2024, 1, 1)
    assert rules.customers.path == str(tmp_path / "c.csv")
    assert rules.events["orders"].path == "s3://b/o"
    assert rules.output.directory == str(tmp_path / "out")
    assert rules.output.format == "parquet"


def test_a_customer_file_replaces_customers_from_events() -> None:
    text = RULES.replace('path = "customers.csv"', 'from = "orders"\ncolumns = ["email"]')
    rules = load_rules_text(text, env={"ORDERS": "o"}, overrides=Overrides(customers="-")).rules
    assert (rules.customers.path, rules.customers.from_) == ("-", None)


def test_an_override_for_an_unknown_table() -> None:
    with pytest.raises(RuleError, match=r"has no `\[events.order\]`\nhint: did you mean `orders`") as caught:
        load_rules_text(RULES, env={"ORDERS": "o"}, overrides=Overrides(events={"order": "x"}))
    assert caught.value.exit_code == 2


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"does not exist\nhint: .*segkit init"):
        load_rules(tmp_path / "rules.toml")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="is a directory"):
        load_rules(tmp_path)
    (tmp_path / "spring.toml").touch()
    with pytest.raises(RuleError, match=r"hint: name the file, such as `.*spring\.toml`"):
        load_rules(tmp_path)


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(RULES.encode() + 'demographic.city = "Orléans"\n'.encode("cp1252"))
    with pytest.raises(RuleError, match="not UTF-8") as caught:
        load_rules(file)
    place = caught.value.diagnostics[0].location
    assert place is not None
    assert (place.line, place.column, place.text) == (10, 24, 'demographic.city = "Orléans"')


def test_utf16(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(RULES.encode("utf-16"))
    with pytest.raises(RuleError, match="not UTF-8"):
        load_rules(file)


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    text = RULES + "weight = 3\n[output]\nbom = 1\n[segment.Short]\neveryone = true\n"
    with pytest.raises(RuleError) as caught:
        load_rules_text(text, env={})
    assert messages(caught) == [
        "the environment variable `ORDERS` is not set",
        "unknown key `weight` in `[segment.tall]`",
        "`bom` needs `true` or `false`, not 1",
        "`Short` cannot be the name of a segment",
    ]


def test_names_of_python_are_not_keys() -> None:
    text = RULES + "demographic.age.is_ = 3\n"
    with pytest.raises(RuleError, match=r"unknown operator `is_` for column `age`\n(?s:.*)did you mean `is`"):
        load_rules_text(text, env={"ORDERS": "o"})


def test_warnings_stand_beside_errors() -> None:
    loaded = load_rules_text(
        RULES + "demographic.age = { min = 3, max = 1 }\nin_segment = 'tal'\n", env={"ORDERS": "o"}
    )
    assert isinstance(loaded, Loaded)
    assert [problem.severity.value for problem in check_references(loaded)] == ["warning", "error"]
