"""`segkit rfm --chart`: a picture of the grid and the segments."""

from __future__ import annotations

import datetime as dt
import json
import struct
import sys
from collections.abc import Callable
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from segkit.errors import RuleError
from segkit.report.chart import SHADES, check_chart, drawn
from segkit.results.rfm import RfmResult, RfmSegment
from tests.desk import Desk

ORDERS = "customer_id,day,total\n" + "".join(
    f"c{c:02},2023-{1 + (c * 5 + n * 7) % 12:02}-{1 + (c * 11 + n) % 28:02},{c * 7 + n}.50\n"
    for c in range(1, 41)
    for n in range(1 + c % 6)
)
AS_OF = ("--as-of", "2024-01-01")
CHARTS = pytest.mark.extra("charts")
Draw = Callable[..., bytes]


@pytest.fixture
def chart(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Draw:
    """`segkit rfm o.csv --chart NAME ...` in the desk's folder, and the file that came of it."""
    monkeypatch.chdir(desk.folder)
    desk.put("o.csv", ORDERS)

    def draw(name: str, *args: object) -> bytes:
        desk.segkit("rfm", "o.csv", *AS_OF, "--chart", name, "-q", *args)
        return (desk / name).read_bytes()

    return draw


def texts(svg: bytes) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@CHARTS
def test_an_svg_says_what_the_table_says(chart: Draw, desk: Desk) -> None:
    found = json.loads(desk.segkit("rfm", "o.csv", *AS_OF, "--json").stdout)
    said = texts(chart("grid.svg"))
    assert "RFM on 2024-01-01" in said
    assert f"{found['customers']} customers, {found['events']} events" in " ".join(said)
    assert {"Frequency score", "Recency score"} <= set(said)
    assert {s["name"] for s in found["segments"]} <= set(said)
    for segment in found["segments"]:
        assert f"{segment['share']:.1f} %" in said
        assert f"{segment['revenue_share']:.1f} %" in said
    for cell in found["grid"]:
        assert str(cell["customers"]) in said
    days = next(t for t in found["thresholds"] if t["column"] == "recency_days")["values"]
    assert f"< {days[0]} days" in " ".join(said)
    assert f">= {days[-1]} days" in " ".join(said)


@CHARTS
def test_the_most_is_the_darkest(chart: Draw) -> None:
    svg = chart("grid.svg").decode()
    assert svg.count(f'fill="{SHADES[-1]}"') >= 1


@CHARTS
def test_the_same_run_draws_the_same_bytes(chart: Draw, desk: Desk) -> None:
    first = chart("grid.svg")
    assert chart("again.svg") == first
    done = desk.process("rfm", "o.csv", *AS_OF, "--chart", "other.svg", "-q")
    assert done.returncode == 0, done.stderr
    assert (desk / "other.svg").read_bytes() == first


@CHARTS
def test_a_png_is_a_picture(chart: Draw) -> None:
    png = chart("grid.png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 1_000 and height > 500


@CHARTS
@pytest.mark.parametrize(
    "args", [("--bins", "10"), ("--bins", "2", "--map", "rf"), ("--method", "nested"), ("--ties", "split")]
)
def test_any_scores_can_be_drawn(chart: Draw, args: tuple[str, ...]) -> None:
    assert "Frequency score" in texts(chart("grid.svg", *args))


@CHARTS
def test_nothing_is_fetched(chart: Draw) -> None:
    svg = chart("grid.svg").decode()
    assert "href" not in svg and "@import" not in svg and "url(http" not in svg


@CHARTS
def test_the_summary_and_json_say_where_it_is(chart: Draw, desk: Desk) -> None:
    chart("one.svg")
    assert "Chart in two.svg (" in desk.segkit("rfm", "o.csv", *AS_OF, "--chart", "two.svg").stdout
    assert '"chart": "two.svg"' in desk.segkit("rfm", "o.csv", *AS_OF, "--chart", "two.svg", "--json").stdout


@pytest.mark.parametrize("name", ["grid.pdf", "grid", "svg", "grid.svg.txt"])
def test_other_endings_are_refused_before_anything_is_read(desk: Desk, name: str) -> None:
    done = desk.segkit("rfm", desk / "missing.csv", "--chart", name, code=2)
    assert f"`{name}`: a chart is .svg or .png" in done.stderr


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_extra_the_error_names_it(desk: Desk, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    desk.put("o.csv", ORDERS)
    done = desk.segkit("rfm", desk / "o.csv", "--chart", desk / "grid.svg", code=2)
    assert 'pip install "segkit-cli[charts]"' in done.stderr
    assert not (desk / "grid.svg").exists()
    with pytest.raises(RuleError, match="which are not installed"):
        check_chart("grid.svg")


@CHARTS
def test_a_run_that_fails_leaves_the_last_picture(chart: Draw, desk: Desk) -> None:
    chart("grid.svg")
    before = desk.tree(".")
    desk.segkit("rfm", "o.csv", "--chart", "grid.svg", "--amount", "nothing", code=None)
    desk.segkit("rfm", "missing.csv", "--chart", "grid.svg", code=3)
    assert desk.tree(".") == before


@CHARTS
def test_a_picture_never_replaces_an_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("o.svg", ORDERS)
    done = desk.segkit("rfm", desk / "o.svg", *AS_OF, "--chart", desk / "o.svg", code=None)
    assert done.exit_code in (3, 4)
    assert (desk / "o.svg").read_text() == ORDERS


@CHARTS
def test_shares_below_zero_have_room() -> None:
    """Refunds may outweigh what a segment bought."""
    segments = tuple(
        RfmSegment(
            name=name,
            customers=1,
            share=50.0,
            revenue=Decimal(1),
            revenue_share=share,
            recency_days=1.0,
            frequency=1.0,
            monetary=1.0,
        )
        for name, share in (("lost", -125.0), ("new", 225.0), ("none", None))
    )
    result = RfmResult(
        as_of=dt.date(2024, 1, 1),
        customers=0,
        events=0,
        bins=2,
        method="quantile",
        ties="low",
        map="rf",
        segments=segments,
        thresholds=(),
        grid={},
        guesses={},
        tables=(),
        warnings=(),
        elapsed_seconds=0.0,
    )
    assert "-125.0 %" in texts(drawn(result, "x.svg"))
