"""What every test may ask for: a desk, and data to put on it."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from _pytest import runner
from hypothesis import settings

from tests.desk import ROOT, SHARED, Desk
from tests.extras import ABSENT, EXTRAS

# How long an example takes is the machine's affair.
settings.register_profile("segkit", deadline=None)
settings.load_profile("segkit")
EACH_TIME = "test_extras.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, metavar="N", help="run every Nth test, always the same ones")


def pytest_configure() -> None:
    """The developer's own settings do not reach the tests, and no variable is set or taken away for each of them.

    Once Polars has read from a bucket, a thread of it asks for a variable ten times a second, as long as the process
    lives; where another thread sets one at that moment, glibc before 2.41 may end the process (SIGSEGV in getenv).
    pytest would set one three times for each test, to tell which test runs.
    """
    for name in list(os.environ):
        if name.startswith(("SEGKIT_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")) and not name.startswith("SEGKIT_TEST_"):
            del os.environ[name]
    pytest.MonkeyPatch().setattr(runner, "_update_current_test_var", lambda item, when: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is run with several versions need not be everything each time; the tests of extras are."""
    share = config.getoption("--one-in")
    chosen = [item for item in items if item.path.name == EACH_TIME or crc32(item.nodeid.encode()) % share == 0]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=sorted(set(items) - set(chosen), key=lambda item: item.nodeid))
        items[:] = chosen


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is marked with an extra is skipped where that extra is not installed, and only there."""
    needed = [extra for mark in item.iter_markers("extra") for extra in mark.args]
    assert set(needed) <= set(EXTRAS), f"{item.nodeid} is marked with an extra that there is not"
    for extra in needed:
        if extra in ABSENT:
            pytest.skip(f'needs the extra "{extra}"')


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk for one test."""
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """Desks that outlive a test."""
    return lambda: Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Real data that this repository does not hold; without it, the test is skipped."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs {name} in {SHARED}, which is not shipped with segkit")
        return path

    return find


@pytest.fixture(scope="session")
def examples() -> Path:
    """The shipped examples."""
    return ROOT / "examples"


@pytest.fixture
def gz() -> Iterator[Callable[[str], bytes]]:
    """Text, compressed; the same bytes each time."""
    yield lambda text: gzip.compress(text.encode(), mtime=0)
