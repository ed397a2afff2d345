"""Colours of cells: from light to dark as numbers grow, with ink that can be read on them."""

from __future__ import annotations

_SHADES = ((226, 243, 221), (124, 196, 127), (11, 93, 51))
"""From few to many."""


def heated(part: float) -> str:
    """The style of a cell at this part of the largest, from 0 to 1."""
    along = min(max(part, 0.0), 1.0) * (len(_SHADES) - 1)
    first = min(int(along), len(_SHADES) - 2)
    few, many = _SHADES[first], _SHADES[first + 1]
    color = [round(a + (b - a) * (along - first)) for a, b in zip(few, many, strict=True)]
    return f"background:#{''.join(f'{channel:02x}' for channel in color)};color:{_ink(color)}"


def _ink(color: list[int]) -> str:
    """Black or white, whichever has more contrast by the luminance that WCAG 2 defines."""
    red, green, blue = (_linear(channel / 255) for channel in color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000" if (luminance + 0.05) ** 2 >= 0.05 * 1.05 else "#fff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
