"""The report in a browser: nothing that axe-core objects to, light and dark, on a phone, and on paper.

They need Chromium, node, and `npm install axe-core puppeteer-core`; SEGKIT_TEST_NODE_MODULES names that folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_report_discover import basket, cluster, lookalike, rule
from tests.desk import ROOT, Desk

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
MODULES = Path(os.environ.get("SEGKIT_TEST_NODE_MODULES", ".")).resolve() / "node_modules"
ABSENT = [
    *([] if CHROMIUM else ["Chromium"]),
    *([] if shutil.which("node") else ["node"]),
    *(name for name in ("axe-core", "puppeteer-core") if not (MODULES / name).is_dir()),
]
pytestmark = [
    pytest.mark.extra("report"),
    pytest.mark.skipif(bool(ABSENT), reason=f"no {', '.join(ABSENT)}: the report was not seen in a browser"),
]
PICTURE = ("light", "dark", "phone")


def seen(file: Path, folder: Path) -> Any:
    """What the browser says of a page; its pictures go to the folder."""
    command = ["node", str(ROOT / "tests/pages/page.mjs"), str(file), str(folder)]
    environment = {**os.environ, "CHROMIUM": str(CHROMIUM), "SEGKIT_TEST_NODE_MODULES": str(MODULES.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("example", ["adventureworks", "nightly", "leads", "with all sections", "odd"])
def test_nobody_is_left_out(desk: Desk, example: str) -> None:
    page = desk / "report.html"
    if example == "with all sections":
        everything(desk, page)
    elif example == "odd":
        odd(desk, page)
    else:
        options = ["--as-of", "2017-06-30"] if example == "nightly" else []
        rules = ROOT / f"examples/{example}/rules.toml"
        desk.segkit("apply", rules, "-o", desk / "out", "-q", "--report", page, *options)
    found = seen(page, desk / "seen")
    assert set(found["asked"]) == {page.as_uri()}
    assert found["errors"] == []
    for name in PICTURE:
        view = found["views"][name]
        assert view["violations"] == []
        assert view["passes"] > 20
        assert view["contrast"] > 20  # texts of which it knows the colours
        assert view["width"] <= (390 if name == "phone" else 1280)
        assert (desk / f"seen/{name}.png").read_bytes().startswith(b"\x89PNG")
    paper = (desk / "seen/a4.pdf").read_bytes()
    assert paper.startswith(b"%PDF")
    sizes = {(round(float(w)), round(float(h))) for w, h in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)}
    assert sizes == {(595, 842)}  # A4 in points


def everything(desk: Desk, page: Path) -> None:
    """The bicycle shop with all that a report can show."""
    rules = (ROOT / "examples/adventureworks/rules.toml").read_text(encoding="utf-8").partition("[[test]]")[0]
    folder = (ROOT / "examples/adventureworks").as_posix()
    rules = rules.replace('path = "Adv', f'path = "{folder}/Adv').replace("as_of = 2017-07-01\n", "")
    rules = rules.replace(
        "[output]\n", '[lifecycle]\nevents = "orders"\n[output]\nhistory = true\ntrack = ["lifecycle"]\n'
    )
    rules = rules.replace("[segment.families]\n", "[segment.families]\nlimit = 4000\nholdout = 10\n")
    for day in ("2017-05-01", "2017-06-01"):
        desk.apply(rules, "-q", "--as-of", day, "-o", desk / "out")
    told = desk.segkit("evaluate", desk / "out", "--within", "29 days", "--json").stdout
    desk.put("evaluation.json", told)
    files = ["--evaluation", desk / "evaluation.json"]
    for number, found in enumerate((*found_by_hand(), *found_by_hand())):
        files += ["--discover", desk.put(f"found-{number}.json", json.dumps(found))]
    done = desk.segkit("report", desk / "out", *files, "-o", page, "--json")
    assert json.loads(done.stdout)["left_out"] == []


def found_by_hand() -> list[object]:
    """What the three commands would print, with few in some cells."""
    warnings = [{"message": "`age` alone has an AUC of 0.9", "hint": "see `--columns`"}]
    rules = [rule("helmets gloves", "bikes", 90, 200, 300, 110), rule("pumps", "bikes", 3, 200, 300, 110)]
    return [
        basket(*rules, top=1),
        basket(*rules),
        lookalike([60, 50, 40, 30, 20, 15, 12, 10, 8, 3], warnings=warnings),
        cluster((500, 300, 4), agree=700, left_out=7),
    ]


def odd(desk: Desk, page: Path) -> None:
    """Two RFM tables, long names and labels, letters from right to left, a value without customers, few of each."""
    long, label = "n" * 60, "שלום <b>" + "y" * 400 + " 👩‍👩‍👧"
    desk.put("c.csv", "id,town\n" + "".join(f"K{n},{(long, 'שלום', 'x')[n % 3]}\n" for n in range(90)))
    orders = (f"K{n % 70},2024-0{1 + n % 5}-{10 + n % 18},{n},{n * 7 % 97}.5" for n in range(300))
    desk.put("o.csv", "id,day,number,amount\n" + "\n".join(orders) + "\n")
    rules = f"""version = 1
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
id = "number"
amount = "amount"
[rfm]
events = "orders"
[rfm.second]
events = "orders"
bins = 3
[output]
directory = "out"
history = true
track = ["town"]
[segment.{long}]
label = "{label}"
demographic.town.not = "x"
[segment.all]
everyone = true
holdout = 4
[segment.nobody]
demographic.town = "z"
"""
    for day in ("2024-05-01", "2024-06-01"):
        desk.apply(rules, "-q", "--as-of", day, "--report", page)


def test_what_axe_would_object_to_is_found(desk: Desk) -> None:
    """A page in which a picture has no name, and a text is pale."""
    style = "<style>p{color:#bbb;background:#fff}</style>"
    body = '<main><h1>A</h1><p>pale</p><svg role="img" viewBox="0 0 1 1"></svg></main>'
    page = desk.put("bad.html", f'<!doctype html><html lang="en"><head><title>a</title>{style}</head><body>{body}</body></html>')  # fmt: skip
    found = seen(page, desk / "seen")["views"]["light"]["violations"]
    assert {one["id"] for one in found} >= {"color-contrast", "svg-img-alt"}
