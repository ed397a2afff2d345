"""What is not installed: one error that says how to install it, before anything is written."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.desk import ROOT, Desk, environment, event_table, head, zstd
from tests.extras import ABSENT, EXTRAS
from tests.workbooks import empty_workbook

VALUE = event_table("o", "o.csv", 'amount = "total"') + '[value]\nevents = "o"\n[value.predict]\n'
RULES = {
    "geo": head('latitude = "lat"', 'longitude = "lon"') + '[segment.s]\ngeographic.inside = "zones.geojson"\n',
    "charts": "",
    "report": "",
    "predict": head() + VALUE + "[segment.s]\nvalue.p_alive.min = 0.5\n",
    "excel": head(path="c.xlsx") + "[segment.s]\neveryone = true\n",
    "database": head('table = "c"', path="postgresql://127.0.0.1:1/shop") + "[segment.s]\neveryone = true\n",
    "duckdb": head('table = "c"', path="duckdb:c.duckdb") + "[segment.s]\neveryone = true\n",
    "lake": head(path="lake") + "[segment.s]\neveryone = true\n",
    "zstd": head(path="c.csv.zst") + "[segment.s]\neveryone = true\n",
    "spark": head() + "[segment.s]\neveryone = true\n",
    "spark-connect": head() + "[segment.s]\neveryone = true\n",
}
"""Extra -> rules that need it; charts and reports are drawn without any."""
CLUSTER = ("apply", "rules.toml", "--engine", "spark", "--work", ".", "--master")
ASKED = {
    "charts": ("rfm", "o.csv", "--chart", "grid.svg"),
    "report": ("report", "run"),
    "spark": (*CLUSTER, "spark://127.0.0.1:1"),
    "spark-connect": (*CLUSTER, "sc://127.0.0.1:1"),
}
PLACES = {"geo": "rules.toml:9:12", "predict": "rules.toml:12:8", "excel": "c.xlsx", "zstd": "c.csv.zst"}
PLACES |= {
    "database": "postgresql://127.0.0.1:1/shop, table c",
    "duckdb": "duckdb:c.duckdb, table c",
    "lake": "--> lake",
}


@pytest.mark.parametrize("extra", RULES)  # without `audit`, a pattern decides: test_audit.py
def test_without_an_extra_one_error_says_what_to_install(desk: Desk, extra: str) -> None:
    """What is installed is hidden; where nothing is, this is what users have."""
    desk.put("rules.toml", RULES[extra])
    desk.put("c.csv", "id,lat,lon\na,1,2\n")
    desk.put("c.csv.zst", zstd("id,name\na,Zoé\n".encode("cp1252")))
    desk.put("c.xlsx", empty_workbook())
    desk.put("c.duckdb", b"")
    desk.put("lake/_delta_log/00000000000000000000.json", "{}")
    desk.put("o.csv", "id,day,total\na,2024-01-01,5\n")
    desk.put("zones.geojson", "{}")
    before = desk.tree(".")
    hidden = () if extra in ABSENT else EXTRAS[extra]
    code = f"import sys; sys.modules.update(dict.fromkeys({hidden})); from segkit.__main__ import main; main()"
    command = [sys.executable, "-c", code, *ASKED.get(extra, ("apply", "rules.toml"))]
    done = subprocess.run(command, cwd=desk.folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == (2 if extra in ("geo", "charts", "report", "predict", "spark", "spark-connect") else 3)
    assert done.stderr.startswith("error: ") and done.stderr.count("error: ") == 1
    assert f'`pip install "segkit-cli[{extra}]"`' in done.stderr
    assert PLACES.get(extra, "") in done.stderr
    assert done.stdout == ""
    assert desk.tree(".") == before


def test_the_tests_know_every_extra_and_install_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(extras)
    packages = {package for packages in extras.values() for package in packages}
    # It has 400 MB, for a few tests, which .ci/run installs it for.
    assert {package for package in packages if not package.startswith("pyspark")} <= set(
        project["dependency-groups"]["test"]
    )
