"""`python -m benchmarks`: make the data, check that all tools agree, measure them in turn, print a table."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from benchmarks.measure import ChildFailedError, Measurement, run
from benchmarks.tools import (
    BASELINE,
    FORMATS,
    JOBS,
    TOOLS,
    DisagreementError,
    Job,
    Tool,
    fingerprint,
    require_agreement,
)

Results = dict[str, dict[str, list[Measurement]]]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5, help="measured runs a tool, after one warm-up")
    parser.add_argument("--only", choices=FORMATS, help="one input format instead of both")
    parser.add_argument("--job", choices=JOBS, default="segments",
                        help=f"one of {', '.join(f'{job.name} ({job.title})' for job in JOBS.values())}")  # fmt: skip
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS), metavar="TOOL",
                        help=f"some of {', '.join(TOOLS)}, as far as they do the job")  # fmt: skip
    parser.add_argument("--data", type=Path, help="where the data is kept between runs",
                        default=Path(tempfile.gettempdir()) / "segkit-benchmarks")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="save every measurement")
    args = parser.parse_args(arguments)
    if args.runs < 1:
        parser.error("--runs must be 1 or more")
    return args


def compile_segkit() -> None:
    """Leave segkit as pip does, compiled: where Python may not write bytecode, each run would compile it anew."""
    source = Path(__file__).parent.parent / "src"
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(source)], check=True)


def make_data(args: argparse.Namespace) -> None:
    sizes = [str(value) for value in (args.customers, args.orders, args.seed)]
    command = [sys.executable, "-m", "benchmarks.data", str(args.data), *sizes]
    subprocess.run(command, check=True, stdout=sys.stderr)


def run_once(job: Job, tool: Tool, data: Path, form: str) -> tuple[Measurement, dict[str, int], dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="out-", dir=data) as out:
        measured = run(tool.command(job, data, form, Path(out)), tool.environment(data, form))
        return measured, tool.counts(measured.stdout), fingerprint(Path(out), job)


def measure(job: Job, tools: list[Tool], data: Path, form: str, runs: int) -> dict[str, list[Measurement]]:
    """Measure the tools in turn (A B C D, A B C D, ...): what disturbs the machine disturbs all of them."""
    measurements: dict[str, list[Measurement]] = defaultdict(list)
    for turn in range(runs + 1):
        counts, rows = {}, {}
        for tool in tools:
            measured, counts[tool.name], rows[tool.name] = run_once(job, tool, data, form)
            label = f"run {turn}" if turn else "warm-up"
            print(f"{form:8}{label:8}{tool.name:12}{measured.seconds:7.2f} s", file=sys.stderr)
            if turn:
                measurements[tool.name].append(measured)
        require_agreement(f"the counts ({form})", counts)
        require_agreement(f"the rows ({form})", rows)
    return measurements


def ratio(measured: list[Measurement], baseline: list[Measurement]) -> float:
    """How many times the baseline's time: the median over the turns, each of which had its own weather."""
    return median(mine.seconds / its.seconds for mine, its in zip(measured, baseline, strict=True))


def table(tools: list[Tool], results: Results) -> str:
    """Markdown: a row a tool; for each format the medians and the ratio to `BASELINE`."""
    head = ["Tool"]
    for form in results:
        name = {"csv": "CSV", "parquet": "Parquet"}[form]
        head += [f"{name}, s", "ratio", "CPU, s", "peak, MB"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for tool in tools:
        row = [tool.title]
        for by_tool in results.values():
            mine = by_tool[tool.name]
            row += [
                f"{median(m.seconds for m in mine):.2f}",
                f"{ratio(mine, by_tool[BASELINE]):.2f}" if BASELINE in by_tool else "",
                f"{median(m.cpu_seconds for m in mine):.2f}",
                f"{median(m.peak_mb for m in mine):.0f}",
            ]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def versions(tools: list[Tool]) -> dict[str, str]:
    packages = sorted({package for tool in tools for package in tool.packages})
    return {package: importlib.metadata.version(package) for package in packages}


def as_json(args: argparse.Namespace, tools: list[Tool], results: Results) -> str:
    found = {
        form: {name: [measurement.numbers() for measurement in mine] for name, mine in by_tool.items()}
        for form, by_tool in results.items()
    }
    document = {
        "job": args.job,
        "customers": args.customers,
        "orders": args.orders,
        "seed": args.seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "versions": versions(tools),
        "results": found,
    }
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    if sys.argv[1:2] == ["chance"]:
        from benchmarks.chance import main as of_chance

        return of_chance(sys.argv[2:])
    if sys.argv[1:2] == ["scale"]:
        from benchmarks.scale import main as of_scale

        return of_scale(sys.argv[2:])
    args = parse()
    job = JOBS[args.job]
    tools = [tool for tool in TOOLS.values() if tool.name in args.tools and tool.name in job.tools]
    forms = [args.only] if args.only else list(FORMATS)
    make_data(args)
    compile_segkit()
    try:
        results = {form: measure(job, tools, args.data, form, args.runs) for form in forms}
    except (DisagreementError, ChildFailedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    packages = ", ".join(f"{name} {version}" for name, version in versions(tools).items())
    print(f"{job.title}; {args.customers:,} customers, {args.orders:,} orders; medians of {args.runs} whole processes")
    print(f"{os.cpu_count()} CPUs, Python {platform.python_version()}, {packages}\n")
    print(table(tools, results))
    if args.json:
        args.json.write_text(as_json(args, tools, results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
