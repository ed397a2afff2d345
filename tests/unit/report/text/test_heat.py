"""The R x F grid: readable in colours, without them, and in 80 columns."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from segkit.report.numbers import short
from segkit.report.text.drawn.heat import ASCII, BLOCKS, COLORS, Heat
from segkit.report.text.screen import show_on

FIVE = {(r, f): 10 * r + f for r in range(1, 6) for f in range(1, 6)}


def shown(heat: Heat, *, color: bool = False, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show_on(stream, heat, color=color)
    stream.seek(0)
    return stream.read()


def test_without_colours_blocks_stand_behind_the_numbers() -> None:
    assert shown(Heat({(1, 1): 100, (2, 1): 1, (2, 2): 41}, 2)) == (
        "      F1   F2\n"
        "──────────────\n"
        "R2    1·  41▒\n"
        "R1  100█   -\n"
        "    · 1-20   ░ 21-40   ▒ 41-60   ▓ 61-80   █ 81-100\n"
    )


def test_in_ascii() -> None:
    text = shown(Heat({(1, 1): 100, (2, 1): 1}, 2), encoding="ascii")
    assert "R1  100#" in text
    assert text.isascii()


def test_in_colours_the_numbers_stand_on_the_shades() -> None:
    text = shown(Heat(FIVE, 5), color=True)
    assert not set(BLOCKS + ASCII[1:]) & set(re.sub(r"\x1b\[[\d;]*m", "", text))
    assert len(set(re.findall(r"48;5;\d+", text))) == len(COLORS)


def contrast(first: str, second: str) -> float:
    """Of two colours, by the formula of the W3C's accessibility guidelines: 4.5 is enough for text."""

    def light(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([light(first), light(second)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("ink", "ground"), COLORS)
def test_every_number_can_be_read_on_its_shade(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5


def test_the_shades_rise() -> None:
    light = [contrast("#000000", ground) for _, ground in COLORS]
    assert light == sorted(light, reverse=True)


@pytest.mark.parametrize("bins", range(2, 11))
@pytest.mark.parametrize("most", [1, 4, 999, 12_345, 1_234_567, 987_654_321])
@pytest.mark.parametrize("color", [False, True])
def test_it_fits_into_80_columns(bins: int, most: int, color: bool) -> None:
    cells = {(r, f): max(1, most * r * f // bins**2) for r in range(1, bins + 1) for f in range(1, bins + 1)}
    stream = io.StringIO()
    console = Console(file=stream, width=80, color_system="256" if color else None, force_terminal=color)
    console.print(Heat(cells, bins))
    lines = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == bins + 3  # nothing is wrapped


def test_nobody_at_all() -> None:
    assert shown(Heat({}, 2)) == "      F1   F2\n──────────────\nR2    -    -\nR1    -    -\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (9_949_999, "9.9M"),
        (9_950_000, "10M"),
        (987_654_321, "988M"),
    ],
)
def test_short_numbers(value: int, text: str) -> None:
    assert short(value) == text
