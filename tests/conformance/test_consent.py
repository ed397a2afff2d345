"""No rule, flag or typo writes a customer who has not consented: a run either fails, or holds the consenting only."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from segkit.cli.commands.apply import command
from tests.desk import Desk, event_table, head

CUSTOMERS = "id,email,ok,age\n" + "".join(
    f"{'yes' if n % 3 == 0 else 'no'}{n},{n}@x.fr,{('true', 'false', '')[n % 3]},{20 + n}\n" for n in range(60)
)
"""Who may be written has a key that says so; some said no, some said nothing."""
HEAD = head(as_of="2024-06-30") + event_table("sends", "s.csv")
CONSENT = "[consent]\nrequire.ok = true\n"
EVERYONE = "[segment.s]\neveryone = true\n"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("s.csv", "id,day\nyes0,2024-06-30\nno1,2024-06-30\n")
    return desk


def written(desk: Desk) -> list[str]:
    """Every key in every file of the run, but those of customers without a segment in the combined file."""
    keys = []
    for path in sorted(desk.folder.rglob("*")):
        if path.is_dir() or path.parent == desk.folder or path.suffix == ".json":
            continue
        match path.suffix:
            case ".csv":
                rows = desk.read(path.read_bytes())
            case ".ndjson":
                rows = [json.loads(line) for line in path.read_text().splitlines()]
            case ".parquet":
                rows = pl.read_parquet(path).to_dicts()
            case ".tsv":
                rows = pl.read_csv(path, separator="\t").to_dicts()
            case ".arrow":
                rows = pl.read_ipc(path).to_dicts()
            case ".toml":
                assert path.read_text() == (desk / "rules.toml").read_text()
                continue
            case _:
                raise AssertionError(path)
        keys += [row["id"] for row in rows if row["segment"]]
    return keys


def only_who_agreed(keys: list[str]) -> bool:
    return bool(keys) and all(key.startswith("yes") for key in keys)


FLAGS = {
    "rules": [],
    "output": ["-o", "out"],
    "format_": ["--format", "parquet"],
    "select": ["--select", "s"],
    "as_of": ["--as-of", "2020-01-01"],
    "customers": ["--customers", "other.csv"],
    "events": ["--events", "sends=s.csv"],
    "dry_run": ["--dry-run"],
    "previous": ["--previous", "before"],
    "accept_changes": ["--accept-changes"],
    "replace": ["--replace"],
    "save_cutoffs": ["--save-cutoffs", "."],
    "report": ["--report", "report.html"],
    "no_wait": ["--no-wait"],
    "memory": ["--memory", "1GB"],
    "buckets": ["--buckets", "3"],
    "engine": ["--engine", "local"],
    "master": [],
    "engine_option": [],
    "work": ["--work", "."],
    "cache": ["--cache", "kept"],
    "summary": ["--summary", "json"],
    "fail_on": ["--fail-on", "error"],
    "log": ["--log", "log.ndjson"],
    "quiet": ["-q"],
    "verbose": ["-v"],
    "color": ["--color", "never"],
}


def test_every_flag_of_apply_is_tried() -> None:
    assert {parameter.name for parameter in command.params} == FLAGS.keys()


@pytest.mark.parametrize(
    "flag", [pytest.param(flag, marks=[pytest.mark.extra("report")] if flag == "report" else []) for flag in FLAGS]
)
def test_no_flag_bypasses_consent(shop: Desk, flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("other.csv", CUSTOMERS.replace("@x.fr", "@y.fr"))
    text = f"{HEAD}{CONSENT}{EVERYONE}"
    monkeypatch.chdir(shop.folder)
    if flag == "previous":
        shop.apply(text, "-o", "before")
    if flag == "save_cutoffs":
        text += '[rfm.columns]\nrecency_days = "age"\nfrequency = "age"\nmonetary = "age"\n'
    shop.apply(text, *FLAGS[flag])
    if flag == "save_cutoffs":
        assert not re.search(r"(yes|no)\d|@", (shop / "rfm.cutoffs.toml").read_text())  # nobody's key or e-mail
    assert only_who_agreed(written(shop)) or (flag == "dry_run" and not written(shop))
    monkeypatch.setenv("SEGKIT_CONSENT", "0")
    monkeypatch.setenv("SEGKIT_APPLY_CONSENT", "false")
    shop.apply(text, *FLAGS[flag])
    assert only_who_agreed(written(shop)) or flag == "dry_run"


@pytest.mark.parametrize("format", ["csv", "tsv", "ndjson", "parquet", "arrow"])
def test_no_format_bypasses_consent(shop: Desk, format: str) -> None:
    text = f'{HEAD}{CONSENT}[output]\ncombined = "all.csv"\n{EVERYONE}holdout = 20\nsplit = {{ A = 50, B = 50 }}\n'
    shop.apply(text, "--format", format)
    assert only_who_agreed(written(shop))
    out = shop.apply(text, "-o", "-", "-q", "--format", format).stdout_bytes
    assert b"yes" in out
    assert b"no1" not in out


RULES = {
    "everyone": EVERYONE,
    "an opposite criterion": "[segment.s]\ndemographic.ok = { not = true, or_missing = true }\n[segment.t]\neveryone = true\n",
    "a building block": '[segment.b]\nwrite = false\neveryone = true\n[segment.s]\nin_segment = "b"\n',
    "a block of those who said no": '[segment.b]\nwrite = false\ndemographic.ok = false\n[segment.s]\nany = [{ in_segment = "b" }, { demographic.age.min = 0 }]\n',
    "another segment": '[segment.a]\neveryone = true\n[segment.s]\nin_segment = "a"\n',
    "not in another segment": "[segment.a]\ndemographic.age.below = 30\n[segment.s]\nnot_in_segment = 'a'\n",
    "sql": "[segment.s]\nsql = \"ok IS NULL OR ok = FALSE OR age > 0\"\n",
    "exclusive": '[assignment]\nmode = "exclusive"\npriority = ["s"]\n[segment.a]\neveryone = true\n' + EVERYONE,
    "each": EVERYONE + 'each = "ok"\n',
    "combined": '[output]\ncombined = "all.csv"\n' + EVERYONE,
    "sample of all": EVERYONE + "sample = 100\n",
    "a large limit": EVERYONE + "limit = 1000000\n",
    "a limit that puts them first": EVERYONE + 'limit = { count = 60, by = "ok", order = "ascending" }\n',
    "holdout": EVERYONE + "holdout = 50\n",
    "split": EVERYONE + "split = { A = 50, B = 50 }\n",
    "a channel without rules": '[consent.channel.post]\n' + EVERYONE + 'channel = "post"\n',
    "a channel with its own": "[consent.channel.post]\nrequire.age.min = 0\n" + EVERYONE + 'channel = "post"\n',
    "no channel beside channels": "[consent.channel.post]\nrequire.age.min = 0\n" + EVERYONE,
    "a channel that allows more": "[consent.channel.post]\nrequire.ok = { is = true, or_missing = true }\n" + EVERYONE + 'channel = "post"\n',
    "a cap": '[frequency_cap]\nevents = "sends"\nmax = 1\n' + EVERYONE,
    "stages and scores": '[score.s]\nrule = [{ everyone = true, points = 5 }]\n[segment.s]\nscore.s_score = 5\n',
    "expect": EVERYONE + "expect.min_size = 1\n",
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_bypasses_consent(shop: Desk, rule: str) -> None:
    shop.apply(HEAD + CONSENT + RULES[rule])
    assert only_who_agreed(written(shop))


TYPOS = {
    "[consnt]\nrequire.ok = true\n": 2,
    "[Consent]\nrequire.ok = true\n": 2,
    "[consent]\nrequires.ok = true\n": 2,
    "[consent]\nok = true\n": 2,
    "[consent]\nrequire.okay = true\n": 2,
    "[consent]\nrequire.OK = true\n": 2,
    "[consent]\nrequire.ok = 'true'\n": 2,
    "[consent]\nrequire.ok.iss = true\n": 2,
    "[consent]\n": 2,
    "[consent]\nrequire = {}\n": 2,
    "[consent]\nrequire = {}\nsuppress = 's.csv'\n": 2,
    "[consent.channel.emial]\nrequire.ok = true\n": 2,
    "[consent.channels.email]\nrequire.ok = true\n": 2,
    "[consent.email]\nrequire.ok = true\n": 2,
    "[consent]\nrequire.ok = true\n[consent.channel.Email]\nrequire.ok = true\n": 2,
    "[consent]\nsuppress = 'gone.csv'\n": 3,
    "[consent]\nsuppress = 'gone/*.csv'\n": 3,
    "[consent]\nsuppres = 'c.csv'\n": 2,
    "[consent]\nsuppress_on = 'email'\n": 2,
    "[consent]\nsuppress = 'c.csv'\nsuppress_on = 'mail'\n": 2,
    "[consent]\nsuppress = 's.csv'\nsuppress_on = 'email'\n": 2,
    "[consent]\nsuppress = []\n": 2,
    "[consent]\nsuppress = ''\n": 3,
}


@pytest.mark.parametrize("typo", TYPOS)
def test_no_typo_bypasses_consent(shop: Desk, typo: str) -> None:
    done = shop.apply(f'{HEAD}{typo}{EVERYONE}channel = "email"\n', code=TYPOS[typo])
    assert "Traceback" not in done.output
    assert not (shop / "segments").exists()


def test_a_typo_in_the_segment_is_an_error(shop: Desk) -> None:
    text = f"{HEAD}{CONSENT}[consent.channel.email]\nrequire.age.min = 0\n"
    for line in ('channel = "emial"', 'chanel = "email"', "consent = false", "ignore_consent = true"):
        shop.apply(f"{text}{EVERYONE}{line}\n", code=2)
    assert not (shop / "segments").exists()


def test_who_said_nothing_is_written_only_where_the_rule_of_consent_says_so(shop: Desk) -> None:
    shop.apply(f"{HEAD}[consent]\nrequire.ok = {{ is = true, or_missing = true }}\n{EVERYONE}")
    silent = {row["id"] for row in shop.read("c.csv") if row["ok"] == ""}
    agreed = {row["id"] for row in shop.read("c.csv") if row["ok"] == "true"}
    assert set(written(shop)) == silent | agreed


@pytest.mark.parametrize("stops", ['suppress = "no.csv"', 'suppress = ["no.csv"]\nsuppress_on = "email"'])
def test_nobody_on_a_list_is_written_either(shop: Desk, stops: str) -> None:
    rows = [row for row in shop.read("c.csv") if row["id"].startswith("no")]
    shop.put("no.csv", "id,email\n" + "".join(f"{row['id'].upper()}, {row['email'].upper()}\n" for row in rows))
    text = f"{HEAD}[consent]\n{stops}\n{EVERYONE}"
    for rule in ("", "holdout = 50\n", 'each = "ok"\n'):
        shop.apply(text + rule)
        files = [name for name in shop.tree() if name.endswith(".csv")]
        assert only_who_agreed([row["id"] for name in files for row in shop.read(f"segments/{name}")])


def test_a_value_that_nobody_has_is_a_warning(shop: Desk) -> None:
    """Who misspells what consent looks like in the data writes to nobody, and learns why."""
    rules = HEAD + CONSENT.replace("ok = true", 'email = "Yes"') + EVERYONE
    done = shop.json(rules)
    assert done["segments"][0]["written"] == 0
    (warning,) = done["warnings"]
    assert warning["message"] == "nobody consents: of 60 customers, none is as `require` asks"
    assert warning["line"] == 10
    shop.apply(rules, "--fail-on", "warning", code=1)
    assert shop.json(HEAD + CONSENT + EVERYONE)["warnings"] == []
