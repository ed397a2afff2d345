"""Draws `docs/images/report.png`, the picture of a report in the README, with Debian's Chromium.

    python -m docs.report_picture

It is the upper part of the report of the bicycle shop, a month after another run. Not part of `docs.generate`: another
version of Chromium draws other pixels.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from segkit.operations.apply import apply
from segkit.operations.reporting.report import Page, Wanted, write_report
from segkit.report.html.page import page, sections_of

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/images/report.png"
RULES = ROOT / "examples/adventureworks/rules.toml"
WIDTH, HEIGHT = 1120, 1190
TITLE = "Segments of the bicycle shop"


def main() -> int:
    """Write the picture; 1 where there is no Chromium."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.stdout.write("no Chromium is found here\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        before, after, html = (Path(folder) / name for name in ("before", "after", "report.html"))
        apply(RULES, output=str(before), as_of=dt.date(2017, 6, 1))
        apply(RULES, output=str(after))
        write_report(after, str(html), Page(page, sections_of), Wanted(TITLE, previous=before))
        size = f"--window-size={WIDTH},{HEIGHT}"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size]
        subprocess.run([*command, f"--screenshot={PICTURE}", html.as_uri()], check=True, capture_output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
