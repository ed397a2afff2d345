"""`python -m benchmarks.explain`: how long a question takes, beside the run that it is about.

One customer is explained as of now, which computes all that `apply` does, and in a run that was published, of which
only that customer's rows are read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.__main__ import compile_segkit, make_data, parse
from benchmarks.measure import Measurement, run
from benchmarks.tools import FORMATS, HERE, JOBS, TOOLS

KEY = "C0499999"
APPLY, NOW, OF_RUN = "apply", "explain RULES KEY", "explain --run DIR KEY"


def questions(args: argparse.Namespace, form: str, out: Path) -> dict[str, list[Measurement]]:
    """The three commands in turn, after a run that warms up."""
    rules = str(HERE / "jobs" / args.job / "rules.toml")
    segkit = [sys.executable, "-m", "segkit"]
    commands = {
        APPLY: [*segkit, "apply", rules, "-o", str(out), "-q"],
        NOW: [*segkit, "explain", rules, KEY, "--json"],
        OF_RUN: [*segkit, "explain", "--run", str(out), KEY, "--json"],
    }
    environment = TOOLS["segkit"].environment(args.data, form)
    found: dict[str, list[Measurement]] = {name: [] for name in commands}
    for turn in range(args.runs + 1):
        for name, command in commands.items():
            measured = run(command, environment)
            if turn:
                found[name].append(measured)
    return found


def main() -> int:
    """Print a row for each command and kind of file, with its processor time as a share of that of `apply`."""
    args = parse()
    make_data(args)
    compile_segkit()
    print(f"{JOBS[args.job].title}; {args.customers:,} customers, {args.orders:,} orders; medians of {args.runs}\n")
    print("| Files | Command | Time, s | CPU, s | of apply | peak, MB |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for form in [args.only] if args.only else FORMATS:
        with tempfile.TemporaryDirectory(prefix="out-", dir=args.data) as out:
            found = questions(args, form, Path(out))
        whole = median(one.cpu_seconds for one in found[APPLY])
        for name, mine in found.items():
            cpu = median(one.cpu_seconds for one in mine)
            row = [form, name, f"{median(one.seconds for one in mine):.2f}", f"{cpu:.2f}", f"{cpu / whole:.0%}"]
            print(f"| {' | '.join(row)} | {median(one.peak_mb for one in mine):.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
