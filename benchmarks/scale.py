"""`python -m benchmarks scale`: all customers at once beside customers in buckets, of files as large as asked for.

The data of the benchmark is copied, each time with other keys. A run at once and one with `--memory` must write the
same lists. Memory is anonymous memory at its highest, as a sample every 20 ms sees it; disk is what lies in `TMPDIR`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from benchmarks.measure import ChildFailedError
from benchmarks.tools import HERE

SAMPLE_SECONDS, DISK_SECONDS = 0.02, 0.5


class Measured(NamedTuple):
    """What a run took: seconds on the clock and of the processors, MB of memory and of disk."""

    seconds: float
    cpu_seconds: float
    anonymous_mb: float
    disk_mb: float


def copy(data: Path, copies: int, form: str) -> None:
    """Tables in several files of which each has customers of its own; in a process of its own, for it needs memory."""
    import polars as pl

    for table in ("customers", "orders"):
        base = pl.scan_parquet(data / f"{table}.parquet")
        (data / table).mkdir(exist_ok=True)
        for number in range(copies):
            path = data / table / f"{number:03}.{form}"
            if path.exists():
                continue
            rows = base.with_columns(pl.format("{}-{}", pl.lit(f"{number:03}"), "customer_id").alias("customer_id"))
            beside = path.with_suffix(".part")
            if form == "csv":
                rows.sink_csv(beside)
            else:
                rows.sink_parquet(beside)
            beside.rename(path)


def anonymous_mb(pid: int) -> float:
    """The anonymous memory that a process has right now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon:")), 0)


def disk_mb(folder: Path) -> float:
    """What the files in a folder take."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # it was done with
                continue
    return total / 1e6


def measure(command: list[str], environment: dict[str, str], temporary: Path, stdin: IO[bytes] | None) -> Measured:
    """Run a command and look at it meanwhile."""
    anonymous = disk = looked = 0.0
    with tempfile.TemporaryFile() as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=stderr, env=environment)
        while True:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            now = time.perf_counter() - start
            if done:
                break
            anonymous = max(anonymous, anonymous_mb(child.pid))
            if now - looked > DISK_SECONDS:
                disk, looked = max(disk, disk_mb(temporary)), now
            time.sleep(SAMPLE_SECONDS)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            stderr.seek(0)
            raise ChildFailedError(f"exit code {child.returncode} of `{' '.join(command)}`\n{stderr.read().decode()}")
    return Measured(now, usage.ru_utime + usage.ru_stime, anonymous, disk)


def lists_of(folder: Path) -> str:
    """A digest of all lists that a run has written."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def runs(args: argparse.Namespace) -> Iterator[tuple[str, Measured, str]]:
    """For each run, how it is asked for, what it took, and a digest of its lists."""
    files = {name: args.data / name for name in ("customers", "orders")}
    rules = str(HERE / "jobs/segments/rules.toml")
    for options in ([], *(["--memory", memory] for memory in args.memory)):
        if not options and args.only_memory:
            continue
        with tempfile.TemporaryDirectory(dir=args.data) as folder:
            out, temporary = Path(folder) / "out", Path(folder) / "tmp"
            temporary.mkdir()
            environment = dict(os.environ, TMPDIR=str(temporary), BENCH_DATA=str(args.data), BENCH_FORMAT=args.format)
            orders = "-" if args.pipe else f"{files['orders']}/*.{args.format}"
            tables = ["--customers", f"{files['customers']}/*.{args.format}", "--events", f"orders={orders}"]
            command = [sys.executable, "-m", "segkit", "apply", rules, "-o", str(out), "-q", *tables, *options]
            said = " ".join(["segkit apply", *options])
            if args.pipe:
                made = [sys.executable, "-m", "benchmarks.scale", "--pour", str(files["orders"])]
                with subprocess.Popen(made, stdout=subprocess.PIPE) as pour:
                    measured = measure(command, environment, temporary, pour.stdout)
                said = f"... | {said}"
            else:
                measured = measure(command, environment, temporary, None)
            yield said, measured, lists_of(out)


def pour(folder: Path) -> None:
    """The rows of all CSV files of a folder under one header, to standard output."""
    for place, path in enumerate(sorted(folder.glob("*.csv"))):
        with path.open("rb") as file:
            header = file.readline()
            if not place:
                sys.stdout.buffer.write(header)
            while block := file.read(1 << 20):
                sys.stdout.buffer.write(block)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="customers of each copy")
    parser.add_argument("--orders", type=int, default=10_000_000, help="orders of each copy")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--memory", nargs="+", default=["2GB"], help="what runs in buckets plan with")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--pipe", action="store_true", help="orders come by standard input, as CSV")
    parser.add_argument("--only-memory", action="store_true", help="no run with all customers at once")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "segkit-scale")
    parser.add_argument("--copy", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pour", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.pipe:
        args.format = "csv"
    return args


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each run."""
    args = parse(arguments)
    if args.pour:
        pour(args.pour)
        return 0
    if args.copy:
        copy(args.data, args.copies, args.format)
        return 0
    sizes = [str(size) for size in (args.customers, args.orders)]
    subprocess.run([sys.executable, "-m", "benchmarks.data", str(args.data), *sizes, "1"], check=True)
    more = ["--copies", str(args.copies), "--format", args.format, "--data", str(args.data)]
    subprocess.run([sys.executable, "-m", "benchmarks.scale", "--copy", *more], check=True)
    customers, orders = args.customers * args.copies, args.orders * args.copies
    print(f"{customers:,} customers, {orders:,} orders, {args.format}\n")
    print("| Command | Time, s | CPU, s | Memory, MB | Disk, MB |\n| --- | ---: | ---: | ---: | ---: |")
    digests = set()
    for said, one, digest in runs(args):
        took = f"{one.seconds:.1f} | {one.cpu_seconds:.1f} | {one.anonymous_mb:,.0f} | {one.disk_mb:,.0f}"
        print(f"| `{said}` | {took} |", flush=True)
        digests.add(digest)
    if len(digests) > 1:
        sys.exit("the runs have written other lists")
    return 0


if __name__ == "__main__":
    sys.exit(main())
