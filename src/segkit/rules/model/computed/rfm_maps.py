"""Maps from the scores of RFM to segments: the two published ones, and maps of ranges, where the first match counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from segkit.rules.model.computed.rfm import MapRow, Rfm

Code = tuple[int, int, int]
OTHER = "other"
"""The segment of a code that no row takes."""


def map_codes(rfm: Rfm) -> dict[Code, str]:
    """The segment of every code, scores from 1 to `bins`."""
    if rfm.segment:
        rows = first_matches(rfm.segment, rfm.bins)
        return {code: OTHER if at is None else rfm.segment[at].name for code, at in rows.items()}
    published = STANDARD if rfm.map == "standard" else rf()
    scaled = {score: (score * 5 + rfm.bins - 1) // rfm.bins for score in range(1, rfm.bins + 1)}
    return {(r, f, m): published[scaled[r], scaled[f], scaled[m]] for r, f, m in _codes(rfm.bins)}


def first_matches(rows: Sequence[MapRow], bins: int) -> dict[Code, int | None]:
    """The position of the row that takes each code, the best codes last; None where no row does."""
    ranges = [[wanted or (1, bins) for wanted in (row.r, row.f, row.m)] for row in rows]

    def match(code: Code) -> int | None:
        for position, wanted in enumerate(ranges):
            if all(low <= score <= high for (low, high), score in zip(wanted, code, strict=True)):
                return position
        return None

    return {code: match(code) for code in _codes(bins)}


def _codes(bins: int) -> Iterator[Code]:
    scores = range(1, bins + 1)
    return product(scores, scores, scores)


_STANDARD_TEXT = """
champions 555 554 544 545 454 455 445
loyal 543 444 435 355 354 345 344 335
potential_loyalist 553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323
new 512 511 422 421 412 411 311
promising 525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313
need_attention 535 534 443 434 343 334 325 324
about_to_sleep 331 321 312 221 213 231 241 251
at_risk 255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124
cant_lose 155 154 144 214 215 115 114 113
hibernating 332 322 233 232 223 222 132 123 122 212 211
lost 111 112 121 131 141 151
"""

STANDARD: dict[Code, str] = {
    (int(code[0]), int(code[1]), int(code[2])): line.split()[0]
    for line in _STANDARD_TEXT.strip().splitlines()
    for code in line.split()[1:]
}
"""The usual map of eleven segments, a partition of the 125 codes."""


@cache
def rf() -> dict[Code, str]:
    """A map of ten segments that looks at recency and frequency alone, a partition of the 25 cells."""
    rows = (
        MapRow(name="hibernating", r=(1, 2), f=(1, 2)),
        MapRow(name="at_risk", r=(1, 2), f=(3, 4)),
        MapRow(name="cant_lose", r=(1, 2), f=(5, 5)),
        MapRow(name="about_to_sleep", r=(3, 3), f=(1, 2)),
        MapRow(name="need_attention", r=(3, 3), f=(3, 3)),
        MapRow(name="loyal", r=(3, 4), f=(4, 5)),
        MapRow(name="promising", r=(4, 4), f=(1, 1)),
        MapRow(name="new", r=(5, 5), f=(1, 1)),
        MapRow(name="potential_loyalist", r=(4, 5), f=(2, 3)),
        MapRow(name="champions", r=(5, 5), f=(4, 5)),
    )
    return {code: rows[at].name for code, at in first_matches(rows, 5).items() if at is not None}
