"""What the figures of two groups tell: against SciPy where it has the figure, against published figures elsewhere."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.inference.arms import Shares, Values, difference_of_means, difference_of_shares, relative, standard_error
from segkit.inference.exact import binomial, fisher
from segkit.inference.families import detectable, holm, sample_ratio
from segkit.inference.quantiles import chi_square_tail, normal_quantile, normal_tails, t_quantile, t_tails

pytestmark = pytest.mark.extra("predict")
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.999])
FREEDOM = st.one_of(st.integers(1, 60), st.integers(61, 10**6))


def close(value: float, to: float, digits: float = 1e-7) -> bool:
    return math.isclose(value, to, rel_tol=digits, abs_tol=1e-25)


@given(st.floats(-40, 40), FREEDOM, LEVELS)
def test_of_student_and_of_gauss(value: float, freedom: int, level: float) -> None:
    from scipy.stats import norm, t

    assert close(t_tails(value, freedom), 2 * t.sf(abs(value), freedom), 1e-6)
    assert close(t_quantile(level, freedom), t.ppf((1 + level) / 2, freedom))
    assert close(normal_tails(value), 2 * norm.sf(abs(value)))
    assert close(normal_quantile(level), norm.ppf((1 + level) / 2))


@given(st.floats(0, 300), st.integers(1, 40))
def test_of_squares(value: float, freedom: int) -> None:
    from scipy.stats import chi2

    assert close(chi_square_tail(value, freedom), chi2.sf(value, freedom), 1e-9)


SIZES = st.one_of(st.integers(1, 60), st.integers(61, 200_000))


@given(st.data(), SIZES, SIZES)
def test_exact_tests(data: st.DataObject, of: int, of_others: int) -> None:
    from scipy.stats import binomtest, fisher_exact

    ones, others = data.draw(st.integers(0, min(of, 40))), data.draw(st.integers(0, min(of_others, 40)))
    table = [[ones, of - ones], [others, of_others - others]]
    assert close(fisher(ones, of, others, of_others), fisher_exact(table).pvalue, 1e-6)
    share = data.draw(st.sampled_from([0.001, 0.05, 0.1, 1 / 3, 0.5, 0.9]))
    middle = round(of * share)
    drawn = data.draw(st.integers(max(0, middle - 50), min(of, middle + 50)))
    assert close(binomial(drawn, of, share), binomtest(drawn, of, share).pvalue, 1e-6)


VALUES = st.lists(st.decimals(0, 10_000, places=2), min_size=2, max_size=40)


def values(of: list[Decimal]) -> Values:
    mean = math.fsum(of) / len(of)
    return Values(len(of), sum(of, Decimal()), math.fsum((float(one) - mean) ** 2 for one in of))


@given(VALUES, VALUES, LEVELS)
def test_means(one: list[Decimal], other: list[Decimal], level: float) -> None:
    from scipy.stats import ttest_ind

    found = difference_of_means(values(one), values(other), level)
    assert close(found.difference, math.fsum(one) / len(one) - math.fsum(other) / len(other), 1e-6)
    if len({*one, *other}) == 1:
        assert found[1:] == (None, None, None, None)
        return
    if 1 in (len(set(one)), len(set(other))):
        return  # an arm without variance, of which SciPy warns
    expected = ttest_ind([*map(float, one)], [*map(float, other)])
    low, high = expected.confidence_interval(level)
    assert found.p is not None and found.low is not None and found.high is not None
    assert math.isclose(found.p, expected.pvalue, rel_tol=1e-6, abs_tol=1e-12)
    assert math.isclose(found.low, low, rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(found.high, high, rel_tol=1e-6, abs_tol=1e-6)
    assert found.statistic is not None and math.isclose(found.statistic, expected.statistic, rel_tol=1e-6, abs_tol=1e-9)


@given(st.data(), SIZES, SIZES, LEVELS)
def test_shares(data: st.DataObject, of: int, of_others: int, level: float) -> None:
    """Newcombe's bounds are made of Wilson's, which SciPy has; the chance is that of the 2 x 2 table."""
    from scipy.stats import binomtest, chi2_contingency, fisher_exact

    ones, others = data.draw(st.integers(0, of)), data.draw(st.integers(0, of_others))
    found = difference_of_shares(Shares(ones, of), Shares(others, of_others), level)
    assert found.difference == float(Fraction(ones, of) - Fraction(others, of_others))
    if not ones + others:
        assert found[1:] == (None, None, None, None)
        return
    one = binomtest(ones, of).proportion_ci(level, method="wilson")
    other = binomtest(others, of_others).proportion_ci(level, method="wilson")
    low = found.difference - math.hypot(ones / of - one.low, other.high - others / of_others)
    high = found.difference + math.hypot(one.high - ones / of, others / of_others - other.low)
    assert math.isclose(found.low or 0, low, rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(found.high or 0, high, rel_tol=1e-6, abs_tol=1e-9)
    assert found.p is not None
    table = [[ones, of - ones], [others, of_others - others]]
    rest = of + of_others - ones - others
    few = min(ones + others, rest) * min(of, of_others) < 5 * (of + of_others)
    squared = None if few else chi2_contingency(table, correction=False)
    expected = squared.pvalue if squared else fisher_exact(table).pvalue
    assert math.isclose(found.p, expected, rel_tol=1e-5, abs_tol=1e-20)
    assert (found.statistic is None) is few
    if squared and found.statistic is not None:
        assert math.isclose(found.statistic**2, squared.statistic, rel_tol=1e-6, abs_tol=1e-9)
        assert found.statistic * found.difference >= 0


@given(VALUES, VALUES, LEVELS)
def test_relative_bounds_are_where_the_test_turns(one: list[Decimal], other: list[Decimal], level: float) -> None:
    """Fieller: a ratio r is within the bounds as long as `one - r * other` may be zero."""
    from scipy.stats import t

    first, second = values(one), values(other)
    found = relative(first, second, level)
    freedom = first.size + second.size - 2
    quantile = t.ppf((1 + level) / 2, freedom)
    variance = (first.squares + second.squares) / freedom
    if second.mean <= 0 or quantile**2 * variance >= second.size * second.mean**2:
        assert found is None or variance < 1e-12
        return
    assert found is not None
    for bound in (found.low, found.high):
        ratio = 1 + bound / 100
        error = math.sqrt(variance * (1 / first.size + ratio**2 / second.size))
        assert math.isclose(abs(first.mean - ratio * second.mean), quantile * error, rel_tol=1e-4, abs_tol=1e-4)


@given(
    st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.03, 0.2, 0.9, 1.0]), max_size=9),
    st.sampled_from([0.01, 0.05, 0.1]),
)
def test_holm(chances: list[float], bound: float) -> None:
    """As it is told: from the smallest on, as long as each is within the bound by the number of those that are left."""
    refused, left = set(), sorted(range(len(chances)), key=lambda place: chances[place])
    while left and chances[left[0]] * len(left) <= bound:
        refused.add(left.pop(0))
    assert {place for place, adjusted in enumerate(holm(chances)) if adjusted <= bound} == refused


def test_sample_ratio() -> None:
    from scipy.stats import binomtest, chisquare

    thirds = dict.fromkeys("abc", Fraction(1, 3))
    found = sample_ratio({"a": 21_306, "b": 21_307, "c": 21_387}, thirds)
    assert close(found or 0, chisquare([21_306, 21_307, 21_387]).pvalue)
    assert round(found or 0, 3) == 0.904
    tenth = {"held": Fraction(1, 10), "written": Fraction(9, 10)}
    assert close(sample_ratio({"held": 80, "written": 920}, tenth) or 0, binomtest(80, 1_000, 0.1).pvalue)
    many = chisquare([9_700, 90_300], [10_000, 90_000]).pvalue
    assert close(sample_ratio({"held": 9_700, "written": 90_300}, tenth) or 0, many)
    assert sample_ratio({"written": 20}, {"written": Fraction(1)}) is None
    assert sample_ratio({}, tenth) is None
    assert sample_ratio({"held": 1, "written": 9}, {"held": Fraction(0), "written": Fraction(1)}) == 0
    assert sample_ratio({"written": 9}, {"held": Fraction(0), "written": Fraction(1)}) is None


def test_detectable() -> None:
    assert close(detectable(2.0), 2 * (1.959963984540054 + 0.8416212335729143))


MENS = (21_307, 3_894, 267, Values(21_307, Decimal("30311.69"), 6_715_902.586629511))
WOMENS = (21_387, 3_238, 189, Values(21_387, Decimal("23038.11"), 4_886_629.888014027))
NONE = (21_306, 2_262, 122, Values(21_306, Decimal("13908.33"), 2_860_971.152328626))
"""The e-mail test that Kevin Hillstrom has published (2008): customers, visitors, buyers, what they spent."""
HILLSTROM = [
    (MENS, (7.6590, 6.9953, 8.3227), (0.6805, 0.5014, 0.8641), (0.769827, 0.485138, 1.054516), 5.300090, (117.9, 59.8, 221.9), (16_402.7, 10_336.8, 22_468.6)),
    (WOMENS, (4.5233, 3.8894, 5.1574), (0.3111, 0.1502, 0.4745), (0.424412, 0.168831, 0.679993), 3.254768, (65.0, 21.5, 136.0), (9_076.9, 3_610.8, 14_543.0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arm", "visit", "conversion", "spend", "t", "lift", "total"), HILLSTROM, ids=["mens", "womens"]
)
def test_hillstrom(arm: Any, visit: Any, conversion: Any, spend: Any, t: float, lift: Any, total: Any) -> None:
    size, visitors, buyers, values_of_arm = arm
    for ones, others, expected in ((visitors, NONE[1], visit), (buyers, NONE[2], conversion)):
        found = difference_of_shares(Shares(ones, size), Shares(others, NONE[0]), 0.95)
        assert [round(100 * (one or 0), 4) for one in found[:3]] == list(expected)
    found = difference_of_means(values_of_arm, NONE[3], 0.95)
    assert [round(one or 0, 6) for one in found[:3]] == list(spend)
    assert round(found.difference / standard_error(values_of_arm, NONE[3]), 6) == t
    assert [round(size * (one or 0), 1) for one in found[:3]] == list(total)
    of_lift = relative(values_of_arm, NONE[3], 0.95)
    assert of_lift is not None and [round(one, 1) for one in of_lift] == list(lift)
