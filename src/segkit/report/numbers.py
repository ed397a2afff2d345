"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

EIGHTHS = " ▏▎▍▌▋▊▉"
HEIGHTS, PLAIN_HEIGHTS = "▁▂▃▄▅▆▇█", "_.-=+*%#"


def short(value: int) -> str:
    """A number in five characters at most: 1,234, 12k, 345k, 1.2M, 45M; before them the sign of one below 0."""
    if value < 0:
        return f"-{short(-value)}"
    for limit, unit, letter in ((9_999, 1, ""), (999_499, 1_000, "k"), (9_949_999, 100_000, "M")):
        if value <= limit:
            return f"{value / 1e6:.1f}M" if letter == "M" else f"{round(value / unit):,}{letter}"
    return f"{round(value / 1e6):,}M"


def percent(value: float | None) -> str:
    """A share such as 8.9 %; one that would round to nothing or to all is <0.1 % or >99.9 %."""
    if value is None:
        return ""
    if 0 < value < 0.05:
        return "<0.1 %"
    if -0.05 < value < 0:
        return ">-0.1 %"
    if 99.95 <= value < 100:
        return ">99.9 %"
    return f"{value:.1f} %"


def share(part: int, whole: int) -> float:
    """The part of the whole in percent; nothing of nothing is 0."""
    return 100 * part / whole if whole else 0.0


def plain(value: Decimal) -> str:
    """An exact decimal without exponent or trailing zeros: 19.99, 5, 1,000,000."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortened(value: Decimal) -> str:
    """An exact decimal, cut off after four decimals where it has more: 62.8333…, but 19.99."""
    whole, point, digits = plain(value).partition(".")
    return f"{whole}.{digits[:4]}…" if len(digits) > 4 else f"{whole}{point}{digits}"


def rounded(value: Decimal | float | None) -> str:
    """A number with two decimals, or with none where it is whole: 19.99, 5, 1,234.50."""
    if value is None:
        return ""
    text = f"{value:,.2f}"
    return text.removesuffix(".00")


def money(value: Decimal | float | None, most: Decimal | float = 0, large: int = 100_000) -> str:
    """An amount with two decimals; with none where the largest of the column is `large`, since they only take room."""
    if value is None:
        return ""
    return f"{value:,.0f}" if max(value, most) >= large else f"{value:,.2f}"


def seconds(value: float) -> str:
    """A time such as 0.31 s, 12.4 s or 3 min 20 s."""
    if value < 10:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def bar(value: float, most: float, width: int, *, ascii_only: bool = False) -> str:
    """A bar that has its full width at `most`; any value above 0 shows at least a sliver."""
    if most <= 0 or value <= 0 or not width:
        return ""
    if ascii_only:
        return "#" * max(1, round(width * value / most))
    eighths = max(1, round(8 * width * value / most))
    full, rest = divmod(eighths, 8)
    return "█" * full + EIGHTHS[rest].strip()


def sparks(values: Sequence[float | None], width: int, *, ascii_only: bool = False) -> str:
    """A line of small bars; of more numbers than there is room for, the first, the last and some between."""
    if len(values) > width:
        values = [values[round(place * (len(values) - 1) / (width - 1))] for place in range(width)]
    heights = PLAIN_HEIGHTS if ascii_only else HEIGHTS
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    steps = (len(heights) - 1) / (high - low) if high > low else 0
    return "".join(" " if value is None else heights[round(steps * (value - low))] for value in values)
