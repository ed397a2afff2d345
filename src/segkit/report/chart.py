"""An RFM analysis as a picture: the R x F grid and the segments, drawn by Altair, as SVG or PNG.

Nothing is fetched: the picture names no font but the reader's own sans-serif.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from segkit.errors import RuleError
from segkit.report.numbers import percent, short
from segkit.report.thresholds import cuts
from segkit.results.parts import Threshold
from segkit.results.rfm import RfmResult
from segkit.words import count

if TYPE_CHECKING:
    import altair as alt

ENDINGS = (".svg", ".png")
GREEN, ORANGE, INK, PALE = "#2e7d4f", "#e8a33d", "#222222", "#f3f4f1"
SHADES = ("#e2f3dd", "#7cc47f", "#0b5d33")
"""From few customers to many."""
_DENSITY = 2
"""Pixels of a PNG for one of the SVG."""
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def check_chart(path: str) -> None:
    """`RuleError` where no picture can be drawn in that format, or with what is installed."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise RuleError.of(f"`{path}`: a chart is {' or '.join(ENDINGS)}", hint="name a file that ends so")
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        hint = 'install them: `pip install "segkit-cli[charts]"`'
        raise RuleError.of("a chart needs altair and vl-convert, which are not installed", hint=hint) from error


def drawn(result: RfmResult, path: str) -> bytes:
    """The picture in the format of the file's ending; an SVG is the same bytes for the same result."""
    chart = _chart(result)
    if Path(path).suffix.lower() == ".png":
        pixels = io.BytesIO()
        chart.save(pixels, format="png", scale_factor=_DENSITY)
        return pixels.getvalue()
    text = io.StringIO()
    chart.save(text, format="svg")
    return text.getvalue().encode()


def _chart(result: RfmResult) -> alt.HConcatChart:
    import altair as alt

    about = f"{count(result.customers)} customers, {count(result.events)} events"
    how = f"{result.bins} bins, {result.method}, ties {result.ties}, map {result.map}"
    title = alt.TitleParams(f"RFM on {result.as_of}", subtitle=[about, how], anchor="start", offset=14)
    both = alt.hconcat(_grid(result), _bars(result), spacing=36).resolve_scale(color="independent")
    return (
        both.properties(title=title, background="white", padding=14)
        .configure(font="sans-serif")
        .configure_title(fontSize=17, subtitleFontSize=12, subtitleColor="#555555", color=INK)
        .configure_axis(labelFontSize=11, titleFontSize=12, labelColor=INK, titleColor=INK, domain=False, ticks=False)
        .configure_view(stroke=None)
        .configure_legend(labelFontSize=11, labelColor=INK)
    )


def _grid(result: RfmResult) -> alt.LayerChart:
    """Customers by frequency score (across) and recency score (up), the number in each cell."""
    import altair as alt

    scores = range(1, result.bins + 1)
    most = max(result.grid.values(), default=0)
    rows = _labels(result, "recency_days", " days")
    columns = _labels(result, "frequency")
    write = count if len(count(most)) <= _side(result) // result.bins // 7 else short
    cells = [
        {"r": rows[r], "f": columns[f], "about": f"R{r} F{f}: {count(number)} customers", **_cell(number, most, write)}
        for r in scores
        for f in scores
        for number in [result.grid.get((r, f), 0)]
    ]
    lines = "split(datum.label, '|')"
    across = alt.Axis(title="Frequency score", labelAngle=0, labelExpr=lines, titlePadding=8, orient="bottom")
    two_lines = any("|" in row for row in rows.values())
    up = alt.Axis(title="Recency score", labelExpr=lines, titlePadding=8, labelOffset=-6 if two_lines else 0)
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("f:O", sort=list(columns.values()), axis=across),
        y=alt.Y("r:O", sort=list(reversed(rows.values())), axis=up),
        description="about:N",
    )
    shade = alt.Color("color:N", scale=None)
    squares = base.mark_rect(stroke="white", strokeWidth=2).encode(color=shade)
    numbers = base.mark_text(fontSize=13 if result.bins <= 6 else 10).encode(
        text="text:N", color=alt.Color("ink:N", scale=None)
    )
    title = _heading("Customers by score: darker is more")
    return alt.layer(squares, numbers).properties(width=_side(result), height=_side(result), title=title)


def _side(result: RfmResult) -> int:
    return max(300, 42 * result.bins)


def _labels(result: RfmResult, column: str, unit: str = "") -> dict[int, str]:
    """Score -> its name on the axis, with the values that get it where all customers are cut alike."""
    threshold = next((t for t in result.thresholds if t.column == column and not t.within), None)
    conditions = _conditions(threshold) if threshold else []
    scores = range(1, result.bins + 1)
    if len(conditions) != result.bins:
        return {score: str(score) for score in scores}
    return {score: f"{score}|{conditions[score - 1]}{unit}" for score in scores}


def _conditions(threshold: Threshold) -> list[str]:
    """The condition of each score from 1 on; that of score 1 is the opposite of the first cut."""
    conditions = cuts(threshold)
    if not conditions:
        return []
    sign, _, value = conditions[0].partition(" ")
    return [f"{_OPPOSITE[sign]} {value}", *conditions]


def _cell(number: int, most: int, write: Callable[[int], str]) -> dict[str, str]:
    """What stands in a cell, and in which colours: dark ink on light ones, white on dark ones."""
    if not number:
        return {"text": "–", "color": PALE, "ink": "#8a8a8a"}
    color = _shade(number / most)
    red, green, blue = _channels(color)
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    return {"text": write(number), "color": color, "ink": INK if bright > 125 else "white"}


def _shade(part: float) -> str:
    """The colour at this part, from 0 to 1, of the way from few to many."""
    first, along = divmod(min(part, 1) * (len(SHADES) - 1), 1)
    few = _channels(SHADES[int(first)])
    many = _channels(SHADES[min(int(first) + 1, len(SHADES) - 1)])
    return "#" + "".join(f"{round(a + (b - a) * along):02x}" for a, b in zip(few, many, strict=True))


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _bars(result: RfmResult) -> alt.LayerChart:
    """For each segment its share of the customers and of the revenue."""
    import altair as alt

    colors = {"customers": GREEN, "revenue": ORANGE}
    pairs = [(s.name, {"customers": s.share, "revenue": s.revenue_share}) for s in result.segments]
    known = [(name, of, share) for name, shares in pairs for of, share in shares.items() if share is not None]
    bars = [
        {
            "segment": name,
            "of": of,
            "share": share,
            "text": percent(share),
            "about": f"{name}: {percent(share)} of {of}",
        }
        for name, of, share in known
    ]
    # Room for the number behind the longest bar; refunds may make a share negative.
    ends = [min(0.0, *(share for *_, share in known), 0.0), 1.2 * max([1.0, *(share for *_, share in known)])]
    base = alt.Chart(alt.Data(values=bars)).encode(
        x=alt.X("share:Q", axis=None, scale=alt.Scale(domain=ends)),
        y=alt.Y("segment:N", sort=[name for name, _ in pairs], axis=alt.Axis(title=None, labelPadding=6)),
        yOffset=alt.YOffset("of:N", sort=list(colors), scale=alt.Scale(paddingOuter=0.15)),
        description="about:N",
    )
    legend = alt.Legend(title=None, orient="bottom", direction="horizontal", symbolType="square")
    color = alt.Color("of:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=legend)
    # Rounded corners would come with clip paths, which are numbered on from picture to picture.
    marks = base.mark_bar().encode(color=color)
    texts = base.mark_text(align="left", dx=4, fontSize=9, color=INK).encode(text="text:N")
    title = _heading("Segments: share of customers and of revenue")
    return alt.layer(marks, texts).properties(width=300, height=min(_side(result), 50 * len(pairs)), title=title)


def _heading(text: str) -> alt.TitleParams:
    import altair as alt

    return alt.TitleParams(text, fontSize=13, anchor="start", offset=8)
