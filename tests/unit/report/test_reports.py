import datetime as dt
import io
import json
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any

import pytest
from rich.console import RenderableType

from docs.picture import svg
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.report.as_json.apply import apply_json
from segkit.report.as_json.check import check_json
from segkit.report.as_json.rfm import rfm_json
from segkit.report.numbers import bar, money, percent, plain, rounded, seconds, shortened, sparks
from segkit.report.text.apply import apply_summary
from segkit.report.text.check import check_text
from segkit.report.text.detected import detected
from segkit.report.text.models import model_table
from segkit.report.text.rfm import rfm_summary
from segkit.report.text.screen import show_on
from segkit.report.thresholds import cuts
from segkit.results.apply import ApplyResult, Profile, SegmentResult, WrittenFile
from segkit.results.check import CheckResult
from segkit.results.parts import FittedModel, Overlap, TableCounts, Threshold
from segkit.results.rfm import RfmResult, RfmSegment
from segkit.results.terms import REASONS

DAY = dt.date(2024, 3, 31)
WARNING = Diagnostic(
    "in the future",
    SourceLocation(path="r.toml", line=2, column=1, width=5, text="as_of = 2099"),
    "leave it",
    Severity.WARNING,
)
SCORES = (
    Threshold("recency_days", (Decimal(30), Decimal(365)), False, falls=True, rfm=""),
    Threshold("frequency", (Decimal(2), Decimal(9)), True, rfm=""),
)


def segment(name: str, matched: int, written: int, *, label: str = "", **changes: Any) -> SegmentResult:
    excluded = dict.fromkeys(REASONS, 0) | changes.pop("excluded", {})
    values = {"outputs": (WrittenFile(f"out/{name}.csv", written),)} | changes
    return SegmentResult(
        name=name,
        label=label or name,
        matched=matched,
        excluded=excluded,
        written=written,
        share=written / 100,
        **values,
    )


PROFILE = Profile(12.345, 5.0, Decimal("1234.5000000000"), 12.3)
RUN = ApplyResult(
    as_of=DAY,
    customers=10_000,
    segments=(
        segment("loyal", 2_500, 1_250, label="Those who stay", excluded={"consent": 1_200, "holdout": 50}),
        segment("tiny", 1, 1, profile={"revenue": PROFILE}),
        segment("base", 7_000, 0, write=False, outputs=()),
    ),
    unmatched=3_000,
    unlisted=8_749,
    several=123,
    overlaps=(Overlap("loyal", "tiny", 123),),
    tables=(
        TableCounts(
            name="orders",
            rows=1_000_000,
            left_out={"no_key": 12, "bad": 0},
            detected={"delimiter": ";"},
            paths=("orders/*.csv",),
        ),
    ),
    thresholds=(*SCORES, Threshold("spend", (Decimal("1234.5000"),), True)),
    warnings=(WARNING,),
    elapsed_seconds=1.23456,
    directory="out",
)
RFM = RfmResult(
    as_of=DAY,
    customers=30,
    events=90,
    bins=2,
    method="quantile",
    ties="low",
    map="standard",
    segments=(
        RfmSegment(
            name="champions",
            customers=20,
            share=66.666666,
            revenue=Decimal("1234567.8900"),
            revenue_share=80.0,
            recency_days=3.0,
            frequency=4.5,
            monetary=99.5,
        ),
    ),
    thresholds=SCORES,
    grid={(1, 1): 10, (2, 2): 20},
    guesses={"key": "customer_id"},
    tables=(),
    warnings=(),
    elapsed_seconds=0.5,
    path="rfm.csv",
)


def shown(renderable: RenderableType, *, color: bool = False) -> str:
    stream = io.StringIO()
    show_on(stream, renderable, color=color)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_apply_summary_at_80_columns() -> None:
    assert (
        shown(apply_summary(RUN))
        == """\
10,000 customers on 2024-03-31

Segment           Matched  Excluded  Written   Share
────────────────────────────────────────────────────────────────
loyal               2,500     1,250    1,250  12.5 %  ██████████
  Those who stay
  no consent                  1,200
  held out                       50
tiny                    1         -        1  <0.1 %  ▏
base                7,000         -        -
  building block

Match nothing     3,000  30.0 %
In no list        8,749  87.5 %
In several lists    123   1.2 %
  loyal and tiny    123   1.2 %

Rows of orders      1,000,000
  left out: no key         12

Score  recency_days  frequency
──────────────────────────────
2             < 365       >= 2
3              < 30       >= 9

Threshold of spend  >= 1,234.5

Profile: revenue
Segment   Mean  Median     Total   Share
────────────────────────────────────────
tiny     12.35    5.00  1,234.50  12.3 %

warning: in the future
  --> r.toml:2:1
  |
2 | as_of = 2099
  | ^^^^^
hint: leave it

2 files in out (1.23 s)
"""
    )


def test_rfm_summary_at_80_columns() -> None:
    assert (
        shown(rfm_summary(RFM))
        == """\
30 customers, 90 events on 2024-03-31
2 bins, quantile, ties low, map standard

key: customer_id (guessed)

Segment    Customers   Share    Revenue   Share  R     F      M
──────────────────────────────────────────────────────────────────
champions         20  66.7 %  1,234,568  80.0 %  3  4.50  99.50
R, F, M: medians of days since the last event, events, and money

Score  recency_days  frequency
──────────────────────────────
2             < 365       >= 2
3              < 30       >= 9

Customers by R and F score
      F1   F2
──────────────
R2    -   20█
R1   10▒   -
    · 1-4   ░ 5-8   ▒ 9-12   ▓ 13-16   █ 17-20

One row a customer in rfm.csv (0.50 s)
"""
    )


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("summary", [apply_summary(RUN), rfm_summary(RFM)])
def test_summaries_fit_their_width(monkeypatch: pytest.MonkeyPatch, width: int, summary: RenderableType) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = shown(summary)
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_colors_are_there_on_demand() -> None:
    assert "\x1b[" in shown(apply_summary(RUN), color=True)
    assert "\x1b[" in shown(rfm_summary(RFM), color=True)


def test_a_stream_of_an_old_code_page_gets_ascii_bars() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show_on(stream, apply_summary(RUN), color=False)
    stream.seek(0)
    assert "##########" in stream.read()


def test_names_are_text_not_markup() -> None:
    strange = segment("a", 1, 1, label="[red]:smile: [/] 100%")
    run = RUN._replace(segments=(strange,))
    assert "[red]:smile: [/] 100%" in shown(apply_summary(run))


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({"dry_run": True, "directory": None}, "Dry run: nothing was written (1.23 s)"),
        ({"directory": None}, "Rows went to standard output (1.23 s)"),
        ({"segments": RUN.segments[:1]}, "1 file in out (1.23 s)"),
    ],
)
def test_where_the_rows_went(changes: dict[str, Any], last: str) -> None:
    run = RUN._replace(**changes)
    assert shown(apply_summary(run)).splitlines()[-1] == last


def test_what_was_detected() -> None:
    assert shown(detected(RUN.tables)).split() == ["orders", "1,000,000", "rows", "orders/*.csv", "delimiter:", ";"]


def test_apply_json() -> None:
    result = json.loads(apply_json(RUN), parse_float=Decimal)
    assert next(iter(result)) == "schema_version"
    assert result["schema_version"] == 1
    assert result["as_of"] == "2024-03-31"
    assert result["elapsed_seconds"] == Decimal("1.235")
    loyal, tiny, base = result["segments"]
    assert list(loyal)[:7] == ["name", "label", "matched", "excluded", "written", "share", "path"]
    assert list(loyal["excluded"]) == list(REASONS)
    assert (loyal["path"], base["path"]) == ("out/loyal.csv", None)
    assert tiny["profile"]["revenue"] == {
        "mean": Decimal("12.345"),
        "median": 5,
        "total": Decimal("1234.5"),
        "share": Decimal("12.3"),
    }
    assert result["thresholds"][2] == {
        "column": "spend",
        "id": "",
        "values": [Decimal("1234.5")],
        "inclusive": True,
        "keys": [],
        "falls": False,
        "within": {},
        "groups": 0,
        "customers": None,
        "mean": False,
    }
    assert '"total": 1234.5,' in apply_json(RUN)
    assert result["warnings"] == [
        {
            "severity": "warning",
            "message": "in the future",
            "path": "r.toml",
            "line": 2,
            "column": 1,
            "hint": "leave it",
        }
    ]


def test_a_segment_of_several_files_has_no_path() -> None:
    each = segment(
        "a", 2, 2, outputs=(WrittenFile("out/a.f.csv", 1, {"g": "f"}), WrittenFile("out/a.m.csv", 1, {"g": None}))
    )
    run = RUN._replace(segments=(each,))
    shown_segment = json.loads(apply_json(run))["segments"][0]
    assert shown_segment["path"] is None
    assert shown_segment["outputs"][1] == {
        "path": "out/a.m.csv",
        "written": 1,
        "values": {"g": None},
        "holds": "members",
    }


def test_rfm_json() -> None:
    result = json.loads(rfm_json(RFM))
    assert next(iter(result)) == "schema_version"
    assert result["segments"] == [
        {
            "name": "champions",
            "customers": 20,
            "share": 66.6667,
            "revenue": 1234567.89,
            "revenue_share": 80.0,
            "medians": {"recency_days": 3.0, "frequency": 4.5, "monetary": 99.5},
        }
    ]
    assert result["grid"] == [{"r": 1, "f": 1, "customers": 10}, {"r": 2, "f": 2, "customers": 20}]
    assert result["guesses"] == {"key": "customer_id"}


def test_check() -> None:
    wrong = CheckResult("r.toml", (Diagnostic("bad"), WARNING, WARNING))
    assert check_text(wrong) == "r.toml: 1 error and 2 warnings"
    assert (
        check_text(CheckResult("r.toml", (), segments=3, columns=2))
        == "r.toml: nothing wrong (3 segments, 2 computed columns)"
    )
    result = json.loads(check_json(wrong))
    assert (result["errors"], result["warnings"], len(result["diagnostics"])) == (1, 2, 3)


def test_a_picture_is_the_same_each_time() -> None:
    first = svg(apply_summary(RUN), title="segkit apply")
    assert first == svg(apply_summary(RUN), title="segkit apply")
    assert ET.fromstring(first).tag.endswith("svg")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.0), "0.0 %"),
        (percent(0.01), "<0.1 %"),
        (percent(-0.01), ">-0.1 %"),
        (percent(-0.4), "-0.4 %"),
        (percent(99.99), ">99.9 %"),
        (percent(100.0), "100.0 %"),
        (percent(None), ""),
        (shortened(Decimal("69.28571428571429")), "69.2857…"),
        (shortened(Decimal("-1234.56780")), "-1,234.5678"),
        (shortened(Decimal("1E+3")), "1,000"),
        (plain(Decimal("100")), "100"),
        (plain(Decimal("1E+3")), "1,000"),
        (plain(Decimal("-0.0500")), "-0.05"),
        (rounded(12.0), "12"),
        (rounded(12.5), "12.50"),
        (rounded(None), ""),
        (money(Decimal("1234.5")), "1,234.50"),
        (money(1.5, 1e6), "2"),
        (seconds(0.123), "0.12 s"),
        (seconds(12.34), "12.3 s"),
        (seconds(200.4), "3 min 20 s"),
        (bar(0, 1, 8), ""),
        (bar(1, 2, 8), "████"),
        (bar(1, 10_000, 8), "▏"),
        (bar(1, 2, 8, ascii_only=True), "####"),
        (sparks([5, 6, None, 12], 8), "▁▂ █"),
        (sparks([5, 6, None, 12], 8, ascii_only=True), "_. #"),
        (sparks([3, 3], 8), "▁▁"),
        (sparks([None], 8), " "),
        (sparks(range(100), 4), "▁▃▆█"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected


def test_recency_falls_as_its_score_rises() -> None:
    assert cuts(Threshold("recency_days", (Decimal(30), Decimal(90)), True, falls=True)) == ["<= 90", "<= 30"]
    assert cuts(Threshold("monetary", (Decimal(30), Decimal(90)), False)) == ["> 30", "> 90"]


def test_models_fit_a_terminal_of_80_columns_whole() -> None:
    parameters = {"r": 0.42911, "alpha": 9.391234, "a": 0.926751, "b": 4.91512}
    model = FittedModel(
        name="BG/NBD", parameters=parameters, log_likelihood=-6_311_227.286, customers=1_000_000, repeaters=497_671
    )
    table = model_table([model])
    assert table is not None
    text = shown(table)
    for part in ("r=0.4291", "alpha=9.391", "a=0.9268", "b=4.915", "-6,311,227", "1,000,000", "497,671"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80
