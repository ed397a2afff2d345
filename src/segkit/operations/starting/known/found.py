"""What was found in the files: which columns play which role, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segkit.io.read import Table


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
    currency: tuple[str, str] | None = None
    """The column that says that amounts are in several currencies, and the most frequent of these."""
    other_times: tuple[str, ...] = ()
    maybe_amount: str | None = None
    """A column that may be money, by its numbers alone."""
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
