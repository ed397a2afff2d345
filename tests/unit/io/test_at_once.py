"""Objects that come a few at once: in their order, also what fails."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from segkit.io.cloud.at_once import AT_ONCE, at_once


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


def test_somebody_impatient_waits_for_what_has_begun_too() -> None:
    begun, on_the_way = threading.Event(), set(range(AT_ONCE))

    def do(number: int) -> None:
        begun.set()
        time.sleep(1)
        on_the_way.discard(number)

    def interrupt() -> None:
        begun.wait()
        for _ in range(2):
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        at_once(do, range(AT_ONCE))
    assert on_the_way == set()
