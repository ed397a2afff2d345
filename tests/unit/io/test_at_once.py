"""Objects that come a few at once: in their order, also what fails."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from segkit.io.cloud.at_once import AT_ONCE, at_once
from tests.desk import environment


def test_what_comes_is_in_order() -> None:
    """Whichever ends first."""
    ends = threading.Event()

    def do(number: int) -> int:
        if number == 0:
            assert ends.wait(20)
        elif number == 30:
            ends.set()
        return number * 2

    assert at_once(do, range(40)) == [2 * number for number in range(40)]
    assert at_once(do, ()) == []


def test_the_first_in_order_that_fails_is_told() -> None:
    """Though a later one has failed before, and what comes after it does not begin."""
    failed = threading.Event()
    begun: list[int] = []

    def do(number: int) -> None:
        begun.append(number)
        if number == 1:
            assert failed.wait(20)
            raise ValueError(number)
        if number == 3:
            failed.set()
            raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        at_once(do, range(500))
    assert len(begun) < 500


def test_nothing_is_on_its_way_once_it_has_ended() -> None:
    """What has begun is waited for, also when the process is interrupted."""
    began: list[int] = []
    ended: list[int] = []

    def do(number: int) -> None:
        began.append(number)
        if number == 0:
            raise KeyboardInterrupt
        threading.Event().wait(0.01)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        at_once(do, range(500))
    assert sorted(began) == sorted([0, *ended])
    assert len(began) <= 4 * AT_ONCE


IMPATIENT = """
import os, signal, threading, time
from segkit.io.cloud.at_once import AT_ONCE, at_once

released, on_the_way = threading.Event(), set(range(AT_ONCE))

def do(number):
    assert released.wait(20)
    time.sleep(0.1)
    on_the_way.discard(number)

def interrupt():
    for _ in range(2):
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)
    released.set()

threading.Thread(target=interrupt).start()
try:
    at_once(do, range(AT_ONCE))
except KeyboardInterrupt:
    print(len(on_the_way))
"""


def test_somebody_impatient_waits_for_what_has_begun_too() -> None:
    """In a process of its own: in that of the tests, the second signal did not come in the middle."""
    done = subprocess.run([sys.executable, "-c", IMPATIENT], env=environment(), capture_output=True, check=True)
    assert done.stdout.strip() == b"0"
