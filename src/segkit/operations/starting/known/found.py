"""What was found in the files: which columns play which role, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from segkit.io.read import Table


class Maybe(NamedTuple):
    """A key of the events that only people can decide on, and why."""

    key: tuple[str, ...]
    value: object
    why: str


@dataclass(frozen=True, kw_only=True)
class EventsFound:
    """A table of events, and the columns that play a role in it; `why` says, by role, what speaks for each."""

    name: str
    files: tuple[str, ...]
    table: Table
    key: str
    time: str
    id: str | None = None
    amount: str | None = None
    product: str | None = None
    """SQL for the money of a row, where no column has it: `amount` is then the name of what is derived."""
    per_event: bool = False
    """Each line of an event has the amount of the whole event."""
    other_times: tuple[str, ...] = ()
    maybe: tuple[Maybe, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CustomersFound:
    """The customers: a file, or those who have events in the table `origin`."""

    key: str
    files: tuple[str, ...] = ()
    table: Table | None = None
    origin: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    """New name -> name in the file, of columns that segkit computes under that name."""
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """All that the files are for."""

    customers: CustomersFound
    events: tuple[EventsFound, ...]

    @property
    def main(self) -> EventsFound | None:
        """The events that say how customers buy: the first with money, else the first."""
        return next((events for events in self.events if events.amount), self.events[0] if self.events else None)
