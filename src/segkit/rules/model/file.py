"""The rule file, version 1, as one frozen model."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from segkit.addresses import is_bucket
from segkit.rules.model.base import Contradiction, Day, Model, Name, TextList, Unfit, freeze
from segkit.rules.model.blocks import Segments
from segkit.rules.model.computed.lifecycle import Lifecycle
from segkit.rules.model.computed.rfm import RfmTables
from segkit.rules.model.computed.scores import Scores
from segkit.rules.model.computed.traits import Traits
from segkit.rules.model.computed.value import Value
from segkit.rules.model.evaluate import Evaluation
from segkit.rules.model.expect import Audit
from segkit.rules.model.mavr import Mavr
from segkit.rules.model.permissions import Consent, ControlOf, FrequencyCap
from segkit.rules.model.sources import Customers, Events, Lookup
from segkit.rules.model.table_name import AS_OF, CHANGE, LIST
from segkit.rules.model.tests import RuleTest

KEPT_IN_BUCKET = 2
"""How many runs stay in a bucket: who reads the one before still finds it."""
_MODE = r"^0?6[046][046]$"


def parse_mode(value: Any) -> int:
    """The permissions of a file, written in octal; the owner reads and writes, nobody executes."""
    if not isinstance(value, str) or not re.match(_MODE, value):
        raise Unfit(value, 'permissions in octal: "0600" (the owner alone), "0640" (a group reads), "0660" or "0644"')
    return int(value, 8)


def parse_format(value: Any, info: ValidationInfo) -> str:
    """The name of a format that is written; whoever loads the rules knows these, and gives them as `formats`."""
    formats = (info.context or {})["formats"]
    if isinstance(value, str) and value in formats:
        return value
    *others, last = [f"'{name}'" for name in formats]
    expected = f"{', '.join(others)} or {last}" if others else last
    raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})


FormatName = Annotated[str, PlainValidator(parse_format), WithJsonSchema({"type": "string"})]
"""The schema has the names from whoever writes it."""
Mode = Annotated[int, PlainValidator(parse_mode), WithJsonSchema({"type": "string", "pattern": _MODE})]


class Assignment(Model):
    """Whether a customer may be in several written segments."""

    mode: Literal["overlapping", "exclusive"] = "overlapping"
    """`exclusive`: the first segment, in file order, that writes a customer claims them."""
    priority: tuple[str, ...] = ()
    """With `exclusive`: the order in which segments claim; the rest follow in file order."""
    control: ControlOf | None = None
    """The control group: this share of all customers, in percent, drawn by key, is written by no segment; those whom
    some would have written are listed in `control.EXT`."""


class Fields(Model):
    """Which columns of the customers an advertising platform finds them by."""

    email: str | None = None
    """The column with e-mail addresses."""
    phone: str | None = None
    """The column with phone numbers; needs `country`, and `segkit-cli[audiences]`."""
    first_name: str | None = None
    """The column with first names."""
    last_name: str | None = None
    """The column with last names."""
    city: str | None = None
    """The column with cities (Meta)."""
    state: str | None = None
    """The column with states or provinces (Meta)."""
    zip: str | None = None
    """The column with postcodes."""
    country: str | None = None
    """The column with countries, as two letters of ISO 3166-1, such as `FR`."""

    @property
    def given(self) -> dict[str, str]:
        """Field -> column, for those that are named."""
        return {name: column for name in type(self).model_fields if (column := getattr(self, name)) is not None}


class Output(Model):
    """Where the segments go, and how."""

    may_be_addresses = ("directory", "to")
    directory: str = "segments"
    """The output directory, or an address such as `s3://bucket/segments`; `{as_of}` is replaced by the date."""
    format: FormatName = "csv"
    """The format of every file."""
    columns: tuple[str, ...] | None = None
    """The columns after key and label, computed ones too, `[]` for none; default: those of the customer file."""
    headers: dict[str, str] = {}
    """Names that columns, key and label too, have in the files instead of their own: `{ email = "Email Address" }`."""
    audience: Literal["google-ads", "meta", "tiktok"] | None = None
    """Write files as an advertising platform takes them: its header, its normal form, hashed where it wants hashes."""
    fields: Fields = Fields.model_construct()
    """With `audience`: the columns by which the platform finds customers, such as `{ email = "EmailAddress" }`."""
    label_column: str = "segment"
    """The column that holds the segment's name."""
    combined: str | None = None
    """One more file with every customer and its segments joined by `|`."""
    workbook: str | None = None
    """One more file, such as `segments.xlsx`: a workbook with the counts, and a sheet for each list; needs
    `segkit-cli[excel]`."""
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    """What separates the fields of CSV; default `,`."""
    decimal: Literal[".", ","] = "."
    """The decimal mark in CSV."""
    bom: bool = False
    """Begin CSV files with a byte order mark, which Excel needs to see UTF-8."""
    escape_formulas: bool = False
    """Put `'` before text in CSV that a spreadsheet would run as a formula."""
    profile: tuple[str, ...] = ()
    """Columns whose mean, median, total and share the summary shows for each segment."""
    min_cell: int = Field(5, ge=1)
    """The fewest customers of whom a figure is shown and kept, such as the threshold of a group; with 1, all are."""
    keep: int | None = Field(None, ge=1)
    """How many runs are kept, each in a folder of its own, with the newest under `latest`; default: the directory holds
    the newest run alone, and in a bucket 2."""
    changes: bool = False
    """Write who entered and who left since the last run, `NAME.entered.EXT` and `NAME.left.EXT`, in place of all
    members."""
    history: bool = False
    """Carry on a history of the segments from run to run: their sizes, who came and went, what members bought since."""
    track: TextList = ()
    """Columns of few values, such as `lifecycle`, kept by key: the next run tells how many moved between values."""
    hash: TextList = ()
    """Columns written as the SHA-256 of their text, trimmed and in lower case: what ad platforms take for e-mails."""
    pseudonymise: TextList = ()
    """Columns written as the HMAC-SHA-256 of their text, with the key in the variable `SEGKIT_PSEUDONYMISE_KEY`."""
    mode: Mode | None = None
    """The permissions of the files, such as `"0600"`: their owner alone; folders follow. Default: the system's."""
    to: str | None = None
    """The database whose table has the lists, in place of files: `"postgresql://HOST/NAME"` or `"sqlite:FILE"`."""
    table: str | None = None
    """With `to`: the table, such as `"marketing.segments"`; who is held out goes to `"marketing.segments_holdout"`."""
    load: Literal["replace", "append_changes"] = "replace"
    """With `to`: replace the rows of these segments, or append who entered and who left since the last run."""

    @property
    def in_bucket(self) -> bool:
        """Whether the directory is in a bucket."""
        return is_bucket(self.directory)

    @property
    def kept(self) -> int | None:
        """How many runs are kept; None where the directory holds the newest run alone, which no bucket does."""
        return KEPT_IN_BUCKET if self.keep is None and self.in_bucket else self.keep

    @property
    def writes_changes(self) -> bool:
        """Whether the lists hold who entered and who left alone."""
        return self.changes or self.load == "append_changes"

    @property
    def keeps_members(self) -> bool:
        """Whether a run keeps the members of its lists beside its manifest: no file there holds them, or it is far."""
        return self.changes or self.to is not None or self.audience is not None or self.in_bucket

    @property
    def table_columns(self) -> tuple[str, ...]:
        """The columns of lists in a table that those in files do not have."""
        if self.to is None:
            return ()
        return (LIST, AS_OF, CHANGE) if self.load == "append_changes" else (LIST,)


class Cache(Model):
    """Where large texts are kept as Parquet, so that runs over the same files need not take them apart again."""

    directory: str
    """The folder, relative to the rule file: a second copy of what is in these files, which only you can read."""


class RuleFile(Model):
    """A rule file: sources, computed columns, segments, outputs."""

    version: Literal[1]
    """The version of the format."""
    as_of: Day | None = None
    """The day that is "now"; default: today in `timezone`."""
    timezone: str = "UTC"
    """In which zoned timestamps, and today, become dates."""
    allow: TextList = ()
    """What `segkit check` need not say of this file: names or codes of its findings, such as `"value-not-found"`."""
    customers: Customers
    """The customer file."""
    events: dict[Name, Events] = {}
    """Event tables, by name."""
    lookup: dict[Name, Lookup] = {}
    """Reference data to join, by name."""
    trait: Traits = {}
    """Computed columns, by name."""
    rfm: RfmTables = {}
    """Recency, frequency, monetary value; `[rfm.NAME]` for several tables of them."""
    lifecycle: Lifecycle | None = None
    """The stage that each customer is in."""
    score: Scores = {}
    """Points that add up, and their grades, by name."""
    value: Value | None = None
    """What customers are worth, and will be."""
    consent: Consent | None = None
    """Who may be written at all."""
    frequency_cap: FrequencyCap | None = None
    """How many messages a customer may get."""
    assignment: Assignment = Assignment.model_construct()
    """Overlapping or exclusive segments."""
    mavr: Mavr = Mavr.model_construct()
    """What a segment should be worth, for `segkit check --data`."""
    evaluate: Evaluation | None = None
    """What `segkit evaluate` looks at, said before a run."""
    audit: Audit | None = None
    """What the files are to hold, for `segkit audit`."""
    output: Output = Output.model_construct()
    """Where the segments go, and how."""
    cache: Cache | None = None
    """Large texts, kept in a form that is read fast."""
    segment: Segments = {}
    """The segments, by name."""
    test: tuple[RuleTest, ...] = ()
    """Customers made up, and the segments that they must be in: `segkit test` runs them."""

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, value: Any) -> Any:
        return freeze(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise Unfit(value, 'a time zone such as "Europe/Paris"') from error
        return value

    @model_validator(mode="after")
    def _has_segments(self, info: ValidationInfo) -> RuleFile:
        if not self.segment and (info.context or {}).get("needs_segments", True):
            raise Contradiction("the rule file has no segment", "add one: `[segment.NAME]`")
        return self

    def today(self) -> dt.date:
        """`as_of`, or today in `timezone`."""
        return self.as_of or today(self.timezone)


def today(timezone: str = "UTC") -> dt.date:
    """The day that it is: the one place that reads the clock."""
    return dt.datetime.now(ZoneInfo(timezone)).date()
