"""The ready-made rule files load as they are, and run on data that fits them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from segkit.cli import main

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
AS_OF = "2024-06-30"

SHOP = {
    "customers.csv": """customer_id,first_name,email,email_opt_in,birth_date,signed_up
1,Ann,ann@x.org,true,1980-07-02,2020-01-01
2,Bob,bob@x.org,true,1990-01-01,2020-01-01
3,Cat,cat@x.org,false,1970-01-01,2020-01-01
4,Dan,,true,1985-05-05,2020-01-01
5,Eve,eve@x.org,true,2000-12-24,2024-06-01
6,Fay,fay@x.org,true,,2023-01-01
7,Gus,gus@x.org,true,1999-09-09,2024-06-01
""",
    "orders-2023.csv": """order_id,customer_id,order_date,category,line_total
o1,1,2023-05-01,building,100.00
o1,1,2023-05-01,tools,20.00
o2,1,2023-11-01,building,50.50
o3,2,2023-12-20,building,900.00
o4,3,2023-10-10,building,10.00
""",
    "orders-2024.csv": """order_id,customer_id,order_date,category,line_total
o5,2,2024-06-20,building,300.00
o6,5,2024-06-10,decoration,15.00
o7,6,2024-05-15,decoration,25.00
o8,6,2024-05-15,decoration,-5.00
o9,4,2024-06-29,building,70.00
o10,2,2024-06-21,building,10.00
""",
}
SUBSCRIPTION = {
    "accounts.csv": """account_id,email,plan,monthly_fee,started,renews,cancelled
a,a@x.org,basic,10,2024-06-10,2024-12-01,
b,b@x.org,basic,10,2022-01-01,2024-07-10,
c,c@x.org,pro,30,2022-01-01,2025-01-01,
d,d@x.org,pro,30,2023-01-01,2024-07-15,
e,e@x.org,free,0,2023-01-01,2025-01-01,
f,f@x.org,pro,30,2021-01-01,2025-01-01,
g,g@x.org,pro,30,2021-01-01,2025-01-01,2024-01-01
h,h@x.org,pro,30,2023-09-01,2024-07-20,
""",
    "usage.csv": "account_id,day\n"
    + "a,2024-06-11\nb,2024-05-10\nb,2024-05-11\nb,2024-06-20\nd,2024-06-25\nd,2024-06-26\nh,2024-06-27\n"
    + "".join(f"e,2024-06-{day:02}\n" for day in range(5, 29))
    + "".join(f"f,2024-06-{day:02}\n" for day in range(10, 25)),
    "payments.csv": "account_id,invoice,paid_on,amount\nb,i1,2024-06-01,10.00\nf,i2,2024-06-01,30.00\n",
    "tickets.csv": "account_id,ticket,opened_at,priority\nd,t1,2024-06-20,urgent\nh,t2,2024-06-20,low\n",
}
LEADS = {
    "leads.csv": """lead_id,company,contact,email,phone,country,role,employees,industry_code,status,created,interests,latitude,longitude
1,Un,Ann,ann@un.fr,0102030405,FR,Sales Director,1200,A,open,2024-06-01,crm; analytics,47.2,-1.5
2,Deux,Bob,bob@deux.fr,,FR,Buyer,60,A,open,2024-01-01,Select,48.1,-1.7
3,Trois,Cat,,+33 6 12,FR,CEO,5,B,open,2024-05-01,,,
4,Quatre,Dan,dan@4.de,0401,DE,CMO,3000,A,customer,2024-05-01,crm,,
5,Cinq,Eve,,,FR,Head of IT,20,A,open,2024-05-01,analytics,,
""",
    "visits.csv": "lead_id,visited_at,page\n1,2024-06-28T10:00:00Z,/pricing/pro\n1,2024-06-28T10:02:00Z,/blog\n",
    "emails.csv": "lead_id,sent_at,opened,clicked\n1,2024-06-01,true,true\n2,2024-02-01,true,false\n",
    "industries.csv": "code,industry,served\nA,Building,true\nB,Fishing,false\n",
}
RUNS: dict[str, tuple[Mapping[str, str], Mapping[str, list[str]]]] = {
    "shop.toml": (
        SHOP,
        {
            "welcome": ["5"],
            "second-order": [],
            "champions": ["2"],
            "win-back": ["1"],
            "cross-sell": ["2"],
            "birthday": ["1"],
            "never-ordered": ["7"],
        },
    ),
    "subscription.toml": (
        SUBSCRIPTION,
        {
            "trouble": ["d"],
            "renewal-at-risk": ["b"],
            "onboarding": ["a"],
            "silent": ["c"],
            "upgrade": ["e"],
            "promoters": ["f"],
            "renewals.pro": ["h"],
        },
    ),
    "leads.toml": (
        LEADS,
        {
            "call-today": ["1"],
            "hot": ["1"],
            "nurture": ["2"],
            "enterprise.fr": ["1"],
            "decision-makers": ["1"],
            "crm-interest": ["1"],
            "near-the-fair": ["1"],
            "sleeping": ["2"],
            "cannot-reach": ["5"],
        },
    ),
}


@pytest.fixture(params=sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def config(request: pytest.FixtureRequest) -> Path:
    """Each rule file in `configs/`."""
    path: Path = request.param
    return path


def test_nothing_is_wrong_with_it(config: Path) -> None:
    found = json.loads(CliRunner().invoke(main, ["check", str(config), "--json"]).stdout)
    assert (found["errors"], found["warnings"]) == (0, 0)


def test_it_runs_on_data_that_fits(config: Path, tmp_path: Path) -> None:
    data, expected = RUNS[config.name]
    rules = Path(shutil.copy(config, tmp_path))
    for name, text in data.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["apply", str(rules), "--as-of", AS_OF, "--fail-on", "warning"])
    assert done.exit_code == 0, done.output
    assert {name: _keys(tmp_path / "segments" / f"{name}.csv") for name in expected} == expected


WITH_EXTRAS = {"predict.toml": [pytest.mark.extra("predict")]}
TESTED = [*sorted(CONFIGS.glob("*.toml")), *sorted(ROOT.glob("examples/*/*.toml"))]


@pytest.mark.parametrize(
    "rules",
    [pytest.param(p, marks=WITH_EXTRAS.get(p.name, []), id=f"{p.parent.name}/{p.name}") for p in TESTED],
)
def test_its_own_tests_pass(rules: Path) -> None:
    done = CliRunner().invoke(main, ["test", str(rules), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 0, [(test["name"], test["differences"]) for test in found["tests"]]
    assert found["passed"] == found["defined"] > 0


def test_some_rule_file_of_each_kind_tests_consent() -> None:
    gates = [path.name for path in TESTED if re.search(r'^stopped\.\S+ = "consent"', path.read_text(), re.MULTILINE)]
    assert gates == ["shop.toml", "rules.toml"]


def _keys(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [row[0] for row in list(csv.reader(file))[1:]]
