"""The sentences of the RFM arithmetic, each as a table."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.desk import Desk

# The two maps, as published in the reference.
STANDARD = """
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
RF = {
    "hibernating": [(1, 1), (1, 2), (2, 1), (2, 2)],
    "at_risk": [(1, 3), (1, 4), (2, 3), (2, 4)],
    "cant_lose": [(1, 5), (2, 5)],
    "about_to_sleep": [(3, 1), (3, 2)],
    "need_attention": [(3, 3)],
    "loyal": [(3, 4), (3, 5), (4, 4), (4, 5)],
    "promising": [(4, 1)],
    "new": [(5, 1)],
    "potential_loyalist": [(4, 2), (4, 3), (5, 2), (5, 3)],
    "champions": [(5, 4), (5, 5)],
}
SCORES = ("r_score", "f_score", "m_score")
Values = Sequence[tuple[int, int, object]]
Code = tuple[int, ...]


def summary(values: Values, rfm: str = "") -> tuple[str, str]:
    """A customer file with the three values, and the head of a rule file that scores it."""
    rows = "".join(f"{i:04},{r},{f},{m}\n" for i, (r, f, m) in enumerate(values, 1))
    head = f"""version = 1
as_of = 2024-01-01
[customers]
path = "c.csv"
key = "id"
[rfm]
{rfm}
[rfm.columns]
recency_days = "r"
frequency = "f"
monetary = "m"
"""
    return f"id,r,f,m\n{rows}", head


def scored(desk: Desk, values: Values, rfm: str = "", *columns: str) -> list[Any]:
    data, head = summary(values, rfm)
    desk.put("c.csv", data)
    return list(desk.columns(head, *(columns or SCORES)).values())


def one_by_one(desk: Desk, values: list[int], rfm: str = "") -> list[int]:
    """The frequency scores of single values."""
    return [int(f) for _, f, _ in scored(desk, [(v, v, v) for v in values], rfm)]


TIED = [1] * 50 + [2] * 20 + [3] * 15 + [4] * 5 + [5] * 10


@pytest.mark.parametrize(
    ("ties", "counts"),
    [
        ("low", {1: 50, 3: 20, 4: 15, 5: 15}),
        ("split", {1: 20, 2: 20, 3: 20, 4: 20, 5: 20}),
        # high: (rank * n + N - 1) // N of the highest rank: 50 -> 3, 70 -> 4, 85 -> 5, 90 -> 5, 100 -> 5
        ("high", {3: 50, 4: 20, 5: 30}),
    ],
)
def test_the_table_of_ties(desk: Desk, ties: str, counts: dict[int, int]) -> None:
    found = one_by_one(desk, TIED, f'ties = "{ties}"')
    assert {score: found.count(score) for score in sorted(set(found))} == counts
    assert found == sorted(found)


@pytest.mark.parametrize("bins", range(2, 11))
@pytest.mark.parametrize("count", [1, 2, 3, 7, 11, 100])
def test_quantile_low_and_high_follow_the_formula(desk: Desk, bins: int, count: int) -> None:
    values = [v * v % 17 for v in range(count)]
    ordered = sorted(values)
    formulas: dict[str, Callable[[int], int]] = {
        "low": lambda v: ordered.index(v) * bins // count + 1,
        "high": lambda v: ((count - ordered[::-1].index(v)) * bins + count - 1) // count,
    }
    for ties, score in formulas.items():
        assert one_by_one(desk, values, f'ties = "{ties}"\nbins = {bins}') == [score(v) for v in values]


def test_recency_ranks_the_freshest_highest(desk: Desk) -> None:
    found = scored(desk, [(days, 1, 1) for days in (10, 20, 30, 40, 50)])
    assert [r for r, _, _ in found] == list("54321")


def test_recency_ties_low_and_high(desk: Desk) -> None:
    values = [(days, 1, 1) for days in (1, 1, 1, 9, 9)]
    assert [r for r, _, _ in scored(desk, values, 'ties = "low"')] == list("33311")
    assert [r for r, _, _ in scored(desk, values, 'ties = "high"')] == list("55522")


def test_split_ranks_equal_values_by_key(desk: Desk) -> None:
    desk.put("c.csv", "id,r,f,m\nd,1,1,1\nb,1,1,1\ne,1,1,1\na,1,1,1\nc,1,1,1\n")
    _, head = summary([], 'ties = "split"')
    found = desk.columns(head, "f_score", "m_score")
    assert found == {key: (str(i), str(i)) for i, key in enumerate("abcde", 1)} | {}
    r = desk.columns(head, "r_score")
    assert sorted(r.values()) == list("12345")


@pytest.mark.parametrize(("ties", "score"), [("low", "1"), ("high", "5")])
@pytest.mark.parametrize("bins", [5, 3, 10])
def test_one_customer_alone(desk: Desk, ties: str, score: str, bins: int) -> None:
    score = "1" if ties == "low" else str(bins)
    found = scored(desk, [(3, 4, 5)], f'ties = "{ties}"\nbins = {bins}')
    assert found == [(score, score, score)]


@pytest.mark.parametrize(("ties", "score"), [("low", "1"), ("high", "5")])
def test_all_equal_share_one_score(desk: Desk, ties: str, score: str) -> None:
    assert set(scored(desk, [(3, 4, 5)] * 7, f'ties = "{ties}"')) == {(score,) * 3}


def test_nobody_at_all(desk: Desk) -> None:
    desk.put("c.csv", "id,name\na,x\n")
    desk.put("o.csv", "id,day,total\na,2025-01-01,1\n")
    head = 'version = 1\nas_of = 2024-01-01\n[customers]\npath = "c.csv"\nkey = "id"\n[events.o]\npath = "o.csv"\ntime = "day"\namount = "total"\n[rfm]\nevents = "o"\n'
    assert desk.columns(head, "recency_days", "rfm_code", "rfm_segment") == {"a": ("", "", "")}


CUTS = """method = "cutoffs"
cutoffs = { recency = [10, 20, 30, 40], frequency = [2, 3, 4, 5], monetary = [10.5, 20, 30, 40] }"""


@pytest.mark.parametrize(
    ("r", "f", "m", "code"),
    [
        (9, 1, 10.49, "511"),
        (10, 2, 10.5, "422"),  # a bin holds its lower cut
        (19, 2, 19.99, "422"),
        (20, 3, 20, "333"),
        (30, 4, 30, "244"),
        (39, 4, 39.99, "244"),
        (40, 5, 40, "155"),
        (4000, 500, 4000, "155"),
        (0, 0, -3, "511"),
    ],
)
def test_own_cutoffs(desk: Desk, r: int, f: int, m: float, code: str) -> None:
    assert scored(desk, [(r, f, m)], CUTS, "rfm_code") == [code]


def test_equal_cutoffs_leave_a_score_out(desk: Desk) -> None:
    cuts = 'bins = 3\nmethod = "cutoffs"\ncutoffs = { recency = [5, 5], frequency = [2, 2], monetary = [1, 2] }'
    assert scored(desk, [(4, 1, 0), (5, 2, 1)], cuts) == [("3", "1", "1"), ("1", "3", "2")]


def all_codes(bins: int) -> list[Code]:
    return list(itertools.product(range(1, bins + 1), repeat=3))


def code_cuts(bins: int) -> str:
    """Cutoffs with which recency 0 scores `bins` and `bins` - 1 scores 1, and frequency and money are their score."""
    up = list(range(2, bins + 1))
    down = list(range(1, bins))
    return f'bins = {bins}\nmethod = "cutoffs"\ncutoffs = {{ recency = {down}, frequency = {up}, monetary = {up} }}'


def segments_by_code(desk: Desk, bins: int, map: str) -> dict[Code, str]:
    codes = all_codes(bins)
    values = [(bins - r, f, m) for r, f, m in codes]
    found = scored(desk, values, code_cuts(bins) + f'\nmap = "{map}"', "rfm_segment", *SCORES)
    assert [tuple(map_(s) for s in row[1:]) for row in found for map_ in [int]] == codes
    return {code: row[0] for code, row in zip(codes, found, strict=True)}


def standard() -> dict[Code, str]:
    rows = [line.split() for line in STANDARD.strip().splitlines()]
    codes = {tuple(map(int, code)): name for name, *codes in rows for code in codes}
    assert len(codes) == sum(len(codes) for _, *codes in rows) == 125
    return codes


def test_the_standard_map_gives_each_of_the_125_codes_its_segment(desk: Desk) -> None:
    assert segments_by_code(desk, 5, "standard") == standard()


def test_the_rf_map_gives_each_of_the_25_cells_its_segment(desk: Desk) -> None:
    cells = {cell: name for name, cells in RF.items() for cell in cells}
    assert len(cells) == 25
    assert segments_by_code(desk, 5, "rf") == {(r, f, m): cells[r, f] for r, f, m in all_codes(5)}


@pytest.mark.parametrize("bins", [2, 3, 4, 6, 7, 10])
def test_other_bins_are_scaled_to_five(desk: Desk, bins: int) -> None:
    expected = standard()
    found = segments_by_code(desk, bins, "standard")
    assert found == {code: expected[tuple((s * 5 + bins - 1) // bins for s in code)] for code in found}


def test_ten_bins_write_the_code_with_dashes(desk: Desk) -> None:
    codes = scored(desk, [(0, 5, 5), (5, 10, 1)], code_cuts(10), "rfm_code")
    assert codes == ["10-5-5", "5-10-1"]
    assert scored(desk, [(0, 5, 5)], code_cuts(9), "rfm_code") == ["955"]


def test_few_bins_are_a_warning(desk: Desk) -> None:
    data, head = summary([(1, 1, 1)], "bins = 3")
    desk.put("c.csv", data)
    done = desk.json(head + "[segment.s]\neveryone = true\n")
    assert any("made for 5 scores" in w["message"] for w in done["warnings"])


def test_own_map_first_match_wins_and_the_rest_is_other(desk: Desk) -> None:
    data, head = summary([(0, 5, 5), (0, 5, 1), (4, 1, 5), (4, 1, 1)], code_cuts(5))
    desk.put("c.csv", data)
    rows = """[[rfm.segment]]
name = "best"
r = [4, 5]
f = [4, 5]
m = 5
[[rfm.segment]]
name = "recent"
r = [3, 5]
[[rfm.segment]]
name = "rich"
m = [5, 5]
"""
    assert list(desk.columns(head + rows, "rfm_segment").values()) == ["best", "recent", "rich", "other"]
    unreachable = rows + '[[rfm.segment]]\nname = "never"\nr = 5\nf = 5\nm = 5\n'
    done = desk.json(head + unreachable + '[segment.s]\nrfm = "best"\n')
    assert any("never" in w["message"] for w in done["warnings"])
    shown = desk.segkit("check", desk / "rules.toml").stdout
    assert "never" in shown


# --- from events ---

ORDERS = """order,id,day,total
1,a,2024-01-01,10.10
1,a,2024-01-01,5.05
2,a,2024-02-01,0.1
2,a,2024-02-01,0.2
3,a,2024-02-01,1
4,b,2024-01-15,100
5,b,2024-02-20,-30.5
6,b,2024-05-01,1000
7,c,2023-12-31,7
,c,2024-01-05,1
,c,2024-01-05,2
"""


def orders_head(rfm: str = "", events: str = 'id = "order"\n') -> str:
    return f"""version = 1
as_of = 2024-03-01
[customers]
path = "c.csv"
key = "id"
[events.o]
path = "o.csv"
time = "day"
amount = "total"
{events}
[rfm]
events = "o"
{rfm}
"""


@pytest.mark.parametrize(
    ("rfm", "events", "expected"),
    [
        ("", 'id = "order"', {"a": ("29", "3", "16.45"), "b": ("10", "2", "69.5"), "c": ("56", "3", "10"), "d": ("", "", "")}),
        ("", "", {"a": ("29", "5", "16.45"), "b": ("10", "2", "69.5"), "c": ("56", "3", "10"), "d": ("", "", "")}),
        ('frequency = "days"', 'id = "order"', {"a": ("29", "2", "16.45"), "b": ("10", "2", "69.5"), "c": ("56", "2", "10"), "d": ("", "", "")}),
        ('monetary = "mean"', 'id = "order"', {"a": ("29", "3", 16.45 / 3), "b": ("10", "2", 34.75), "c": ("56", "3", 10 / 3), "d": ("", "", "")}),
        ('within = "1 month"', 'id = "order"', {"a": ("29", "2", "1.3"), "b": ("10", "1", "-30.5"), "c": ("", "", ""), "d": ("", "", "")}),
        ("where.total.min = 0", 'id = "order"', {"a": ("29", "3", "16.45"), "b": ("46", "1", "100"), "c": ("56", "3", "10"), "d": ("", "", "")}),
        ("before = 2024-02-01", 'id = "order"', {"a": ("60", "1", "15.15"), "b": ("46", "1", "100"), "c": ("56", "3", "10"), "d": ("", "", "")}),
        ("", 'id = "order"\nwhere.total.above = 0', {"a": ("29", "3", "16.45"), "b": ("46", "1", "100"), "c": ("56", "3", "10"), "d": ("", "", "")}),
    ],
)  # fmt: skip
def test_the_three_values_of_events(
    desk: Desk, rfm: str, events: str, expected: dict[str, tuple[str, str, str | float]]
) -> None:
    desk.put("c.csv", "id\na\nb\nc\nd\n")
    desk.put("o.csv", ORDERS)
    found = desk.columns(orders_head(rfm, events), "recency_days", "frequency", "monetary")
    for key, (recency, frequency, monetary) in expected.items():
        assert found[key][:2] == (recency, frequency), key
        if isinstance(monetary, float):
            assert float(found[key][2]) == pytest.approx(monetary), key
        else:
            assert found[key][2] == monetary, key


def test_thresholds_are_in_summary_json_and_manifest(desk: Desk) -> None:
    data, head = summary([(i, i, i) for i in range(1, 11)])
    desk.put("c.csv", data)
    rules = head + "[segment.s]\neveryone = true\n"
    shown = desk.json(rules)["thresholds"]
    by_column = {t["column"]: t for t in shown}
    assert set(by_column) == {"recency_days", "frequency", "monetary"}
    # low: x > s[ceil(k * N / n) - 1], exclusive
    assert by_column["frequency"] == {
        "column": "frequency",
        "id": "rfm:frequency",
        "values": [2, 4, 6, 8],
        "inclusive": False,
        "keys": [],
        "falls": False,
        "within": {},
        "groups": 0,
        "customers": 10,
        "mean": False,
    }
    assert not by_column["recency_days"]["inclusive"]
    assert json.loads((desk / "segments/manifest.json").read_text())["thresholds"] == shown
    table = desk.apply(rules).stdout
    assert "recency_days" in table
    assert "frequency" in table
    high = {t["column"]: t for t in desk.json(rules.replace("[rfm]", '[rfm]\nties = "high"'))["thresholds"]}
    # high: x >= s[k * N // n], inclusive
    assert high["frequency"] == {
        "column": "frequency",
        "id": "rfm:frequency",
        "values": [3, 5, 7, 9],
        "inclusive": True,
        "keys": [],
        "falls": False,
        "within": {},
        "groups": 0,
        "customers": 10,
        "mean": False,
    }


@pytest.mark.parametrize("ties", ["low", "high"])
def test_scores_rise_at_the_thresholds_that_are_shown(desk: Desk, ties: str) -> None:
    values = [(v * 7 % 23, v * v % 11, v * 3 % 13) for v in range(40)]
    data, head = summary(values, f'ties = "{ties}"')
    desk.put("c.csv", data)
    cuts = {t["column"]: t for t in desk.json(head + "[segment.s]\neveryone = true\n")["thresholds"]}
    found = list(desk.columns(head, *SCORES).values())
    for column, position in (("frequency", 1), ("monetary", 2)):
        inclusive = cuts[column]["inclusive"]
        for value, scores in zip(values, found, strict=True):
            passed = sum(value[position] >= c if inclusive else value[position] > c for c in cuts[column]["values"])
            assert int(scores[position]) == 1 + passed
    # recency: low is strictly below, high at most
    for value, scores in zip(values, found, strict=True):
        passed = sum(
            value[0] <= c if cuts["recency_days"]["inclusive"] else value[0] < c for c in cuts["recency_days"]["values"]
        )
        assert int(scores[0]) == 1 + passed


def test_the_rfm_command_and_the_rule_file_say_the_same(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\nc\n")
    desk.put("o.csv", ORDERS)
    columns = ("recency_days", "frequency", "monetary", *SCORES, "rfm_code", "rfm_segment")
    by_rules = desk.columns(orders_head(), *columns)
    done = desk.segkit("rfm", desk / "o.csv", "--key", "id", "--id", "order", "--as-of", "2024-03-01", "-o", "-", "-q")
    assert {r["id"]: tuple(r[c] for c in columns) for r in desk.read(done.stdout_bytes)} == by_rules


@pytest.mark.parametrize("rows", [3, 6, 7, 10])
def test_the_mean_of_equal_amounts_is_that_amount(desk: Desk, rows: int) -> None:
    """0.1 + 0.1 + 0.1 is 0.3 exactly; 0.3 as a float by 3 would be 0.09999999999999999."""
    desk.put("c.csv", "id\na\n")
    desk.put("o.csv", "order,id,day,total\n" + "".join(f"{i},a,2024-02-01,0.1\n" for i in range(rows)))
    trait = '[trait.mean]\nevents = "o"\nmeasure = "mean"\n'
    found = desk.columns(orders_head('monetary = "mean"') + trait, "monetary", "mean")
    assert found == {"a": ("0.1", "0.1")}


# values of frequency by customer, keys of `[rfm]`, the score of the best where nobody has the top one
TIES = [
    ([1] * 8 + [2, 3], "", None),
    ([1] * 7 + [3] * 3, "", 4),
    ([1] * 7 + [3] * 2, "", 4),
    ([1] * 8 + [3] * 2, "", None),
    ([1] * 5, "", 1),
    ([1] * 4, "", None),  # fewer than there are scores
    ([1, 2, 3], "", None),
    ([1] * 7 + [3] * 3, 'ties = "high"', None),
    ([1] * 7 + [3] * 3, 'ties = "split"', None),
    ([1] * 7 + [3] * 3, "bins = 3", None),
    ([1] * 6 + [3] * 4, "bins = 3", 2),
    ([1] * 7 + [3] * 3, 'method = "nested"', None),
    ([1] * 7 + [3] * 3, 'method = "cutoffs"\ncutoffs = { recency = [1, 2, 3, 4], frequency = [2, 3, 4, 5], '
     "monetary = [1, 2, 3, 4] }", None),
]  # fmt: skip


@pytest.mark.parametrize(("values", "rfm", "best"), TIES)
@pytest.mark.parametrize("measure", SCORES)
def test_a_top_score_that_ties_keep_from_everybody_is_told(
    desk: Desk, values: list[int], rfm: str, best: int | None, measure: str
) -> None:
    place = SCORES.index(measure)
    rows = [[i, i, i] for i in range(1, len(values) + 1)]
    for row, value in zip(rows, values, strict=True):
        row[place] = 10 - value if place == 0 else value
    if measure == "r_score" and "nested" in rfm:
        best = 4  # the first of the nested scores is one over all customers
    data, head = summary([(r, f, m) for r, f, m in rows], rfm)
    desk.put("c.csv", data)
    told = [w["message"] for w in desk.json(head + "[segment.s]\neveryone = true\n")["warnings"]]
    told = [message for message in told if "top" in message]
    assert len(told) == (best is not None)
    if best is not None:
        assert f"`{measure}`" in told[0] and told[0].endswith(f"scores {best}")
        assert max(int(one[place]) for one in scored(desk, [(r, f, m) for r, f, m in rows], rfm)) == best


def test_ties_at_the_top_are_told_by_the_command_too(desk: Desk) -> None:
    rows = [f"c{i},2024-01-0{1 + (i > 6)},{i}" for i in range(10)]
    path = desk.put("o.csv", "customer_id,date,amount\n" + "\n".join(rows) + "\n")
    done = desk.segkit("rfm", path, "--as-of", "2024-01-31")
    assert "nobody has the top `r_score`, 5" in done.stdout and "--ties high" in done.stdout
