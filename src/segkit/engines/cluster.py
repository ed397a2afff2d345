"""What is the same of all clusters: how one is asked whether it is there, and what is said where it does not serve."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from segkit.addresses import without_secrets
from segkit.errors import RuleError, WriteError

ANSWER = 5
"""Seconds within which a cluster has to answer."""
UNFIT = {
    "No module named": "lack segkit, or a package that it needs",
    "Can't get attribute": "run another version of segkit, or one that they have loaded before",
    "PYTHON_VERSION_MISMATCH": "run another version of Python",
    "Cannot run program": "have no such Python",
}
"""What Spark says of machines on which a function does not even begin -> what that means."""


def shown(master: str) -> str:
    """The address of a cluster without the token that may stand in it."""
    return without_secrets(master.partition(";")[0]).rstrip("/")


def require_answer(master: str, hosts: Sequence[tuple[str, int]]) -> None:
    """WriteError where none of the hosts of a cluster takes a connection: its libraries would try for minutes."""
    for host in hosts:
        with suppress(OSError, UnicodeError, OverflowError), socket.create_connection(host, ANSWER):
            return
    if hosts:
        raise silent(master, "does not answer")


def nothing(_: int) -> None:
    """For machines to say whether they can run segkit, before there is anything to do."""


def silent(master: str, what: str) -> WriteError:
    """The error where a cluster is not there for a run."""
    hint = "check its address, whether it is up, and whether it has workers with free cores and memory"
    return WriteError.of(f"the cluster at `{shown(master)}` {what}", hint=hint)


def unfit(said: str, where: str) -> RuleError | None:
    """The error where Spark says that machines cannot run segkit, as they need it in this place."""
    for sign, meaning in UNFIT.items():
        if sign in said:
            hint = f"they need the same Python, segkit and packages, {where}"
            return RuleError.of(f"the machines of the cluster {meaning}", hint=hint)
    return None


def given_up() -> WriteError:
    """The error where a cluster does not get through with a task."""
    hint = "give them more memory, or more `--buckets`, of which each takes less"
    return WriteError.of("the cluster has given the run up: it lost its machines, time and again", hint=hint)


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """What the libraries of Spark tell in this process, most of it of connections that break, goes to the file."""
    handler = logging.FileHandler(log)
    logging.root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]", UserWarning)
            yield
    finally:
        logging.root.removeHandler(handler)
        handler.close()
