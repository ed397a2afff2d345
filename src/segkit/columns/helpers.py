"""Names of helper columns: they begin with a control character, which no header in a file has.

Each says who makes it, who reads it, and where it ends. All of them are gone when rows are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from segkit.addresses import told_apart

_MARK = "\x1f"


def hidden(role: str, name: str = "") -> str:
    """The helper column that plays `role` for `name`."""
    return f"{_MARK}{role}:{name}"


def is_hidden(name: str) -> bool:
    """Whether a column is a helper."""
    return name.startswith(_MARK)


def is_visible(name: str) -> bool:
    """Whether a column is one that rules may name."""
    return not is_hidden(name)


# Of each table. `tables/build.py` makes them; they end where the events are grouped, the key when lists are written.

KEY = hidden("key")
"""The key of the customer as text. A row that is left out has the reason in its place: see `left_out_key`."""
MATCH = hidden("match")
"""With `normalise_keys`: the key of a customer in the form in which keys are compared."""
HEADER = hidden("header")
"""Whether some row has the names of columns in place of values. `View.second_look` makes and reads it."""
TIME = hidden("time")
"""The day of an event."""
ID = hidden("id")
"""What the rows of one event have in common, such as the number of the order."""
AMOUNT = hidden("amount")
"""The money of an event, exact."""
ROW = hidden("row")
"""The place of a row in its table. Made wherever an order must hold: measures, limits, customers of events."""
KEPT = hidden("kept")
"""Whether no reason leaves the row out. `View` makes it, `View.sort_out` and the measures drop it."""
COUNT = hidden("count")
"""How many rows a group has. `View.left_out`, measures, limits and `each` make it, and drop it once it is read."""


PLACE = hidden("place")
"""Where a customer stands in the file, while the customers are in buckets. `engines` make it and drop it at the end."""
LATEST = hidden("latest")
"""The last day of a group of events. The measures make it; `View.counts` reads it, of all that are kept."""


PHONE = hidden("phone")
"""The phone number of a customer as it is dialled from abroad. `lists/audience.py` makes and reads it."""


def normal(field: str) -> str:
    """A field of `[output.fields]` in its normal form, before it is hashed. `lists/audience.py` makes and reads it."""
    return hidden("normal", field)


def left_out_key(reason: str) -> str:
    """The key of rows that are left out: `View.every_row` gives it, `View.counts` reads it."""
    return hidden("left out", reason)


LEFT_OUT = hidden("left out key")
"""The key of a row that is left out. `View` makes it to test whether the key must be trimmed."""


# Doubts: what asks for a second look at a table. `tables/build.py` makes them, but `View` makes the last.
# `View.counts` reads the last two.


def as_it_came(column: str) -> str:
    """The column as the file has it, beside its typed value; read before lookups are joined.

    Customers that are made of events, and `rfm` where rows may be lines of one order, read it later; a padded text goes
    out so.
    """
    return hidden("raw", column)


def suspect(column: str) -> str:
    """Whether a value that is read as a number may not be one all the same, such as `01234`."""
    return hidden("suspect", column)


def cell(column: str) -> str:
    """The text of a column that `lists` splits; read by `View.second_look`, and where separators are doubted."""
    return hidden("cell", column)


SHORT = hidden("short")
"""Whether the line of a text may be short: the last column has no value."""
DOUBT = hidden("doubt")
"""Whether anything about the row is doubtful."""
PADDED = hidden("padded")
"""Whether a key of the row must be trimmed."""


# Lookups. `tables/build.py` and `tables/joined.py` make them, the join reads and drops them but for `found`.


def text_of(column: str) -> str:
    """The column as text to compare: the key of a join, a value on a suppression list."""
    return hidden("key", column)


def lookup_key(column: str) -> str:
    """The column of a lookup that is joined on."""
    return hidden("on", column)


def found(lookup: str) -> str:
    """Whether the lookup has the key of the row; counted by `View.counts` and `Bucket`."""
    return hidden("found", lookup)


def answer(lookup: str, number: int) -> str:
    """Whether a condition holds in the joined row of the lookup; read by `View.where`."""
    return hidden("holds", f"{lookup} {number}")


def padded_for(lookup: str) -> str:
    """Whether the lookup may have the keys of the row once they are trimmed; read by `View.every_row`."""
    return hidden("padded", lookup)


def unfound(column: str) -> str:
    """The key of a row that the lookup does not have; used to make `padded_for`."""
    return hidden("unfound", column)


def trimmed(column: str) -> str:
    """The key in `unfound`, trimmed."""
    return hidden("trimmed", column)


# Measures. `features/measures.py` and `bucket.py` make and read them; they end with the last step that needs them.


def since(column: str) -> str:
    """The date of a customer beside each of his events, for windows that begin there."""
    return hidden("since", column)


def measured(kind: str, digest: str) -> str:
    """A measure without a name of its own: named by what is measured, so that all who ask the same share it."""
    return hidden(kind, digest)


def counted(measure: str) -> str:
    """How many values are in a mean, beside their sum."""
    return hidden("n", measure)


def kept_rows_of(table: str) -> str:
    """How many rows of an event table each customer has; `Bucket` makes it, `compute` reads it."""
    return hidden("rows", table)


EVENT = hidden("event")
"""What the rows of one event have in common, also where they have no id; sequences and `nth` make and drop it."""
START, THERE, ALONE, NEXT = (hidden("later", name) for name in ("start", "day", "alone", "next"))
"""From which day an event may be followed, the first day from there on with a later event, the event of that day if it
is the only one, and the next such day; made and dropped by `features/sequences.py`."""


FIRST, LAST, DAYS, FIRST_DAY = (hidden("value", name) for name in ("first", "last", "days", "first_day"))
"""What predictions are fitted to: first and last day with an order, how many such days, the revenue of the first."""
LATER, SPAN, AGE, MEAN = (hidden("history", name) for name in ("later", "span", "age", "mean"))
"""What the models know of a customer: days with an order after the first, days from first to last and to now, mean
amount. `features/value` makes them of the above, and drops them."""
DISCOUNTED = hidden("history", "discounted")
"""Expected orders, each worth less the later it comes; joined with the predictions, and dropped with the above."""


BOUGHT, SPENT = hidden("past", "bought"), hidden("past", "spent")
"""Whether a customer has bought since an earlier run, and for how much; read where the run carries on its history."""


TOTAL_HIGH, TOTAL_LOW = hidden("total", "high"), hidden("total", "low")
"""The money of a group of customers in two numbers, which add up over parts of them: `summary/aggregates.py`."""


# Cohorts. `features/cohorts/cohorts.py` makes them, the operation reads them.

COHORT, PERIOD = hidden("cohort", "first"), hidden("cohort", "period")
"""The number of the period of the first event, and of one with an event."""


# Labels. The module of their section makes them; gates, lists and steps that compute more from them read them.


def member(segment: str) -> str:
    """Whether the criteria of the segment hold: made by `features/blocks.py`, read by gates and other segments."""
    return hidden("in", segment)


def among(operator: str, percent: object, column: str, per: Sequence[str] = ()) -> str:
    """Whether the customer is among a share of all, or of his group: made by a cut, read by the block that asks."""
    return hidden(operator, "\0".join((f"{percent}:{column}", *per)))


def permission(reason: str, channel: str) -> str:
    """Consent, suppression or contact pressure of a channel ("" for all): made by `features/permission.py`."""
    return hidden(reason, channel)


def listed(path: str, column: str) -> str:
    """Whether the value of `column` is on the suppression list `path`; read by `permission`."""
    return hidden("listed", f"{told_apart(path)}\0{column}")


GROUP, VALUES = hidden("group"), hidden("values")
"""The place of a customer's group among the groups of a cut, and the values of a group: `features/groups.py` makes and
drops both."""


RANK = hidden("rank")
"""The rank of a customer in a limit; `gates/limits.py` makes and drops it, as it does with the next three."""
MOST = hidden("most")
"""How many of the group of a customer are within a limit."""
EDGE = hidden("edge")
"""The value of the last customer of a group who is within a limit."""
EDGE_KEY = hidden("edge key")
"""The key of that customer."""


# Marks: who is written where. `delivery/lists.py` makes them from the ledger; lists and changes read them.


def written(segment: str) -> str:
    """Whether the segment's list has the customer."""
    return hidden("written", segment)


def held(segment: str) -> str:
    """Whether the customer is in the holdout of the segment."""
    return hidden("held", segment)


def control(segment: str) -> str:
    """Whether the segment would have written the customer, were he not in the control group."""
    return hidden("control", segment)


def variant(segment: str) -> str:
    """The variant that the customer gets in the segment."""
    return hidden("variant", segment)
