"""One run at a time for each place in a bucket: an object that one run alone can make, and renews while it lasts.

A run that was killed renews nothing, so its object grows old, and the next run takes it over. How old it is tells the
clock of the server, by which it was made.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import SegkitError, WriteError
from segkit.io.publish.prefix import Prefix

LOCK = "lock"
EVERY, PAUSE = 60.0, 2.0
"""The seconds between two renewals, and between two looks at the lock of another run."""
DEAD = dt.timedelta(minutes=10)
"""So long without a renewal: its run has ended without a word."""


class Held(NamedTuple):
    """The lock of a run, as it lies in the bucket."""

    token: str
    who: str
    etag: str | None
    renewed: dt.datetime


class Lease:
    """The lock of this run on a place; `started` is when the run began."""

    def __init__(self, place: Prefix, started: dt.datetime) -> None:
        self._place = place
        self._started, self._token = started, secrets.token_hex(8)
        self._etag: str | None = None
        self._renewals = 0
        self._lost = False
        self._turn, self._over = threading.Lock(), threading.Event()
        self.told: list[Diagnostic] = []

    def acquire(self, *, wait: bool, on_wait: Callable[[str], None]) -> None:
        """Make the lock, or take over a dead one; `WriteError` where another run has it, and nobody waits."""
        clock: _Clock | None = None
        said = None
        while not self._made():
            held = self._look()
            if held is None:
                continue
            clock = clock or _Clock(self._place, f"{LOCK}.{self._token}")
            if clock.now() - held.renewed >= DEAD:
                if self._put(held.etag):
                    self.told.append(_taken_over(self._place.shown, held.who))
                    return
                continue
            if not wait:
                hint = "wait for it to end, or leave `--no-wait` out"
                raise WriteError.of(f"another run writes to `{self._place.shown}`: {held.who}", hint=hint)
            if said != held.who:
                on_wait(f"waiting for another run: {held.who}")
                said = held.who
            time.sleep(PAUSE)

    def keep(self) -> None:
        """Renew the lock, each minute, in a thread of its own."""
        threading.Thread(target=self._renew_until_over, name="segkit-lock", daemon=True).start()

    def require(self) -> None:
        """Renew the lock; `WriteError` where another run has taken it over. Else it is this run's for ten minutes."""
        with self._turn:
            self._renew()
        self.check()

    def check(self) -> None:
        """`WriteError` where another run was found to have taken the lock over."""
        if self._lost:
            hint = "it had not heard of this one for ten minutes: look at the network, and run this again"
            raise WriteError.of(f"another run has taken over `{self._place.shown}`: nothing was published", hint=hint)

    def release(self) -> None:
        """Remove the lock, if it is still this run's; one that cannot be removed grows old."""
        self._over.set()
        with self._turn, suppress(SegkitError):
            held = None if self._lost else self._look()
            if held and held.token == self._token:
                self._place.delete([LOCK])

    def _made(self) -> bool:
        # Whoever has it is looked up: where an answer got lost, and it was asked for again, it is there, and ours.
        new = self._place.put_new(LOCK, self._body())
        if new and self._place.put_new(LOCK, self._body()):
            message = f"`{self._place.bucket.host}` replaces objects, though it is asked not to"
            hint = "two runs at once would go unseen there: write to a server that knows `If-None-Match`"
            raise WriteError.of(message, hint=hint)
        return self._know()

    def _know(self) -> bool:
        """Whether the lock in the bucket is this run's; its etag is kept."""
        held = self._look()
        ours = held is not None and held.token == self._token
        self._etag = held.etag if held and ours else self._etag
        return ours

    def _put(self, etag: str | None) -> bool:
        """Whether the lock is this run's now, where it had this etag."""
        self._place.put_over(LOCK, self._body(), etag)
        return self._know()

    def _renew(self) -> None:
        self._renewals += 1
        self._lost = self._lost or not self._put(self._etag)

    def _renew_until_over(self) -> None:
        while not self._over.wait(EVERY):
            with (
                self._turn,
                suppress(SegkitError),
            ):  # no answer now may be one in a minute; before publishing, it counts
                if not (self._lost or self._over.is_set()):
                    self._renew()

    def _body(self) -> bytes:
        started = self._started.isoformat(timespec="seconds")
        lock = {"segkit": "lock", "host": platform.node(), "pid": os.getpid(), "started": started}
        return json.dumps({**lock, "token": self._token, "renewals": self._renewals}).encode()

    def _look(self) -> Held | None:
        """The lock in the bucket, none where there is none; `WriteError` where an object there is something else."""
        found = self._place.find(LOCK)
        text = None if found is None else self._place.read(LOCK)
        if found is None or text is None:
            return None
        try:
            lock = json.loads(text)
            who = f"process {lock['pid']} on {lock['host']}, since {lock['started']}"
            return Held(str(lock["token"]), who, found.etag, found.modified)
        except (ValueError, KeyError, TypeError) as error:
            message = f"cannot write to `{self._place.shown}`: `{LOCK}` in it is not from segkit"
            raise WriteError.of(message, hint="name a prefix of its own, with `-o` or `directory`") from error


class _Clock:
    """The clock of the server: by an object made now, and what has passed since."""

    def __init__(self, place: Prefix, name: str) -> None:
        place.put_bytes(name, b"")
        try:
            made = place.find(name)
        finally:
            place.delete([name])
        assert made is not None, "an object that was just made is there"
        self._made, self._since = made.modified, time.monotonic()

    def now(self) -> dt.datetime:
        """What time it is there."""
        return self._made + dt.timedelta(seconds=time.monotonic() - self._since)


@contextmanager
def leased(lease: Lease, *, wait: bool, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock while the block runs."""
    try:
        lease.acquire(wait=wait, on_wait=on_wait)
        lease.keep()
        yield
    finally:
        lease.release()


def _taken_over(shown: str, who: str) -> Diagnostic:
    message = f"the lock of `{shown}` was taken over: nothing was heard of {who} for ten minutes"
    return Diagnostic(
        message, hint="it was killed, or its machine has gone; nothing needs to be done", severity=Severity.WARNING
    )
