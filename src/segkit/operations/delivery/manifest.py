"""`manifest.json`: what a run read and wrote, so that anybody can check it later, and the next run compare.

It is a file format of its own: fields are added and never renamed, and a new one has a default for older manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from pydantic import TypeAdapter

from segkit import __version__
from segkit.io.write.json_text import json_text
from segkit.results.terms import MEMBERS

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class IncludedFile:
    """A file that stands in the rule file by its name: how it is written there, and the name of its copy."""

    written: str
    copy: str


@dataclass(frozen=True, kw_only=True)
class RulesRead:
    """The rule file: its name, the sha256 of its bytes, and its path seen from the output directory.

    There is no such path for standard input.
    """

    path: str
    sha256: str
    relative_path: str | None = None
    copy: str | None = None
    """The name of its copy beside the manifest."""
    directory: str | None = None
    """The folder from which its paths count, seen from the output directory."""
    variables: str | None = None
    """The sha256 of the texts in it that variables have made, addresses aside; null where there are none."""
    included: tuple[IncludedFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InputRead:
    """A file that was read for a table."""

    table: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class OutputForm:
    """How the lists are written, as far as one must know it to read them again."""

    format: str = "csv"
    delimiter: str
    key: str
    key_protection: str | None
    key_secret: str | None = None
    """A fingerprint of the secret of pseudonyms."""
    key_escaped: bool | None = None
    label_column: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Column -> its name in the files, where this is another one."""
    audience: str | None = None
    """The advertising platform that takes the files, which then hold no keys."""
    changes: bool = False
    to: str | None = None
    """The database with the table of the lists, without user, password and query; null where they are in files."""
    table: str | None = None
    load: str | None = None


@dataclass(frozen=True, kw_only=True)
class MembersOf:
    """A list that `members.parquet` holds, where no file has all of it."""

    list: str
    segment: str
    written: int


@dataclass(frozen=True, kw_only=True)
class PersonalColumn:
    """A column with personal data among those written."""

    column: str
    kind: str
    protection: str | None


@dataclass(frozen=True, kw_only=True)
class FileOf:
    """A list of a segment: a file, by its name beside the manifest, or rows of a table, by their `list`."""

    path: str
    written: int
    values: Mapping[str, str | None] = field(default_factory=dict)
    holds: str = MEMBERS
    rows: int | None = None
    """How many lines it has, where an advertising platform takes it; `written` counts the customers in them."""


@dataclass(frozen=True, kw_only=True)
class ProfileOf:
    """A profiled column in a segment; `share` in percent of the total over all customers."""

    mean: float | None
    median: float | None
    total: Decimal | None
    share: float | None


@dataclass(frozen=True, kw_only=True)
class SegmentOf:
    """A segment's line of the ledger, and its files."""

    name: str
    label: str = ""
    matched: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    written: int
    share: float = 0.0
    path: str | None = None
    outputs: tuple[FileOf, ...]
    control: int = 0
    """How many of those held out are in the control group."""
    holdout_path: str | None = None
    variants: Mapping[str, int] = field(default_factory=dict)
    holdout: Decimal | None = None
    split: Mapping[str, Decimal] = field(default_factory=dict)
    """Both in percent, as the rule file has them; `salt` is what they are drawn with."""
    salt: str | None = None
    limit_at: str | None = None
    """The value of the last customer within a limit by one column, where enough customers are within it."""
    write: bool
    new: bool = False
    """Where changes are written: no run of a day before has had it, so that everybody entered."""
    under_control: bool = True
    """Whether it leaves the control group out, where there is one."""
    profile: Mapping[str, ProfileOf] = field(default_factory=dict)
    without_identifier: int | None = None
    """How many of those written an advertising platform cannot find, so that they are in no file."""


@dataclass(frozen=True, kw_only=True)
class ControlOf:
    """The control group: its share in percent, what it is drawn with, and its file.

    `customers` counts those of it whom some segment would have written.
    """

    percent: Decimal
    salt: str
    customers: int
    path: str | None


@dataclass(frozen=True, kw_only=True)
class OverlapOf:
    """How many customers two segments share."""

    first: str
    second: str
    customers: int


@dataclass(frozen=True, kw_only=True)
class CountOf:
    """How many customers have a value; null stands for no value."""

    value: str | None
    customers: int
    share: float


@dataclass(frozen=True, kw_only=True)
class DistributionOf:
    """How the customers divide among stages or grades."""

    column: str
    values: tuple[CountOf, ...]


@dataclass(frozen=True, kw_only=True)
class CutsOf:
    """The cuts in force for one column; `keys` stays empty, since they are keys of customers."""

    column: str
    id: str = ""
    values: tuple[Decimal, ...]
    inclusive: bool
    keys: tuple[str, ...] = ()
    falls: bool = False
    within: Mapping[str, int | str | None] = field(default_factory=dict)
    groups: int = 0
    customers: int | None = None
    mean: bool = False


@dataclass(frozen=True, kw_only=True)
class ModelOf:
    """A fitted model; predictions are made of these parameters, as they stand here."""

    name: str
    parameters: Mapping[str, float]
    log_likelihood: float
    customers: int
    repeaters: int


@dataclass(frozen=True, kw_only=True)
class Told:
    """A warning or note, with its place."""

    severity: str
    message: str
    path: str | None
    line: int | None
    column: int | None
    hint: str | None


@dataclass(frozen=True, kw_only=True)
class TypeOf:
    """What the texts of a column were read as: a type, and how its numbers or dates are written."""

    type: str
    decimal: str | None = None
    thousands: str | None = None
    percent: str | None = None
    order: str | None = None
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableOf:
    """What became of the rows of a table, and what was found out about how it is written."""

    name: str
    rows: int
    left_out: Mapping[str, int]
    detected: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, TypeOf] = field(default_factory=dict)
    """The columns of a text whose values were read."""


@dataclass(frozen=True, kw_only=True)
class HistoryOf:
    """What there is to know of the history: nothing in it is of a single customer."""

    before: Mapping[str, str] = field(default_factory=dict)
    """The days whose members `run/before.parquet` has, each with the sha256 of the rule file of that run."""
    rules_changed: tuple[str, ...] = ()
    """The days with another rule file than on the day before in the history."""


Some = int | str
"""How many customers; a text such as `<5` for a few."""


@dataclass(frozen=True, kw_only=True)
class CellOf:
    """How many customers have these two scores, and the mean of what they spent; null for a few.

    `segments` are the RFM segments that these scores come to.
    """

    r: int
    f: int
    customers: Some
    mean: float | None
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BarOf:
    """How many customers have a value from `low`, included, to `high`, excluded; null is no bound."""

    low: int | None
    high: int | None
    customers: Some


@dataclass(frozen=True, kw_only=True)
class ValueOf:
    """How many customers have a value; null is no value. `monetary` is what they spent, in segments of RFM."""

    value: str | None
    customers: Some
    monetary: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class RfmOf:
    """What an RFM table looks like: its scores, the bars of its values with their medians, and its segments."""

    table: str
    grid: tuple[CellOf, ...]
    recency: tuple[BarOf, ...]
    frequency: tuple[BarOf, ...]
    monetary: tuple[BarOf, ...]
    medians: Mapping[str, float] = field(default_factory=dict)
    segments: tuple[ValueOf, ...]


@dataclass(frozen=True, kw_only=True)
class CombinationOf:
    """How many customers are written in all of these segments and in no other; none of them in no segment at all."""

    segments: tuple[str, ...]
    customers: int


@dataclass(frozen=True, kw_only=True)
class ColumnOf:
    """How many customers are in each stage, or have each grade."""

    column: str
    values: tuple[ValueOf, ...]


@dataclass(frozen=True, kw_only=True)
class MavrOf:
    """The answers to the four questions to a segment, as `check --data` gives them; a number of a few is null."""

    segment: str
    known: float | None
    reach: float | None
    reached: int | None
    needed: int
    a_head: Decimal | None
    index: float | None
    m: bool | None
    a: bool | None
    v: bool
    p: bool | None


@dataclass(frozen=True, kw_only=True)
class AggregatesOf:
    """What a report draws. Nothing in it is of fewer than `fewest` customers but the word that they are few.

    `combinations` are the largest; `others` are how many more there are, `in_others` how many customers are in these.
    """

    fewest: int
    rfm: tuple[RfmOf, ...]
    combinations: tuple[CombinationOf, ...]
    others: int
    in_others: Some
    columns: tuple[ColumnOf, ...]
    mavr: tuple[MavrOf, ...] | None = None
    """None in manifests of older versions."""


@dataclass(frozen=True, kw_only=True)
class MoveOf:
    """How many customers had `old` in the run before, and have `new`; a text such as `<5` for a few."""

    column: str
    old: str | None
    new: str | None
    customers: Some


@dataclass(frozen=True, kw_only=True)
class TrackedOf:
    """What became of the values of the columns that are tracked, since the day `since`; null for a first run.

    `days` are those that `run/tracked.parquet` has. Of customers of both days there are `customers`; others `came`, or
    are `gone`.
    """

    columns: tuple[str, ...]
    days: tuple[str, ...]
    since: str | None = None
    customers: int = 0
    came: int = 0
    gone: int = 0
    fewest: int = 1
    moves: tuple[MoveOf, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Times:
    """When the run began, in UTC, and how long it took; nothing else differs when it is repeated."""

    started: str
    elapsed_seconds: float


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run read and wrote; nothing in it tells one customer from another."""

    segkit_version: str = __version__
    run: str | None = None
    """The folder beside this manifest that has the run; null where the run is beside it."""
    rules: RulesRead | None = None
    inputs: tuple[InputRead, ...] = ()
    files: tuple[str, ...] = ()
    """What was written beside the manifest."""
    bytes: Mapping[str, int]
    """The length of each of these files."""
    assignment: str
    output: OutputForm
    members: tuple[MembersOf, ...] | None
    personal_data: tuple[PersonalColumn, ...] = ()
    as_of: str
    customers: int
    segments: tuple[SegmentOf, ...]
    control: ControlOf | None = None
    unmatched: int = 0
    unlisted: int | None = None
    """How many customers are in no list; manifests of older versions do not tell."""
    several: int = 0
    overlaps: tuple[OverlapOf, ...] = ()
    distributions: tuple[DistributionOf, ...] = ()
    thresholds: tuple[CutsOf, ...] = ()
    models: tuple[ModelOf, ...] = ()
    warnings: tuple[Told, ...] = ()
    notes: tuple[Told, ...] = ()
    tables: tuple[TableOf, ...] = ()
    aggregates: AggregatesOf | None = None
    history: HistoryOf | None = None
    tracked: TrackedOf | None = None
    times: Times | None = None

    def to_json(self) -> str:
        """The text of the file."""
        return json_text({"schema_version": SCHEMA_VERSION, **vars(self)}) + "\n"

    @staticmethod
    def from_json(text: str) -> Manifest:
        """The manifest in a text; `ValueError` where the text is no manifest of segkit."""
        return _reader().validate_json(text)


@cache
def _reader() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)
