"""The models: published results, parameters recovered, formulae against integrals and sums written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("scipy", reason='needs the extra "predict"')  # this module, too, imports what it brings
import numpy as np
from scipy import integrate, special

from segkit.columns.features.value.predict import BgNbd, GammaGamma, NotFitted, fit_bg_nbd, fit_gamma_gamma

pytestmark = pytest.mark.extra("predict")

CDNOW = BgNbd(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258, log_likelihood=0.0)
MODELS = [
    CDNOW,
    BgNbd(r=0.8265, alpha=9.8436, a=0.0034, b=6.7451, log_likelihood=0.0),  # hardly anybody leaves
    BgNbd(r=4.3366, alpha=388.9, a=6e-6, b=5.5e-5, log_likelihood=0.0),  # all or nothing
    BgNbd(r=2.0, alpha=20.0, a=1.0, b=3.0, log_likelihood=0.0),  # a = 1: the published formula is 0 / 0
    BgNbd(r=1.5, alpha=10.0, a=40.0, b=25.0, log_likelihood=0.0),  # most leave
    BgNbd(r=80.0, alpha=2_300.0, a=10_000.0, b=160_000.0, log_likelihood=0.0),  # all alike
]
HISTORIES = [(0, 0.0, 0.0), (0, 0.0, 38.86), (1, 0.5, 30.0), (2, 30.43, 38.86), (7, 10.0, 38.0), (60, 99.0, 100.0)]


def arrays(*columns: object) -> list[np.ndarray]:
    return [np.array(column, dtype=float) for column in columns]


def test_the_published_fit_of_cdnow(shared: Callable[[str], Path]) -> None:
    table = pl.read_csv(shared("clv/cdnow_customers_summary.csv")).cast(pl.Float64)
    x, last, age = (table[name].to_numpy() for name in ("frequency", "recency", "T"))
    found = fit_bg_nbd(x, last, age, np.ones(len(x)))
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), rel=2e-4)
    assert found.log_likelihood == pytest.approx(-9582.43, abs=0.01)
    again = table.group_by("frequency", "recency", "T").len().sort("frequency", "recency", "T").cast(pl.Float64)
    counted = fit_bg_nbd(*(again[name].to_numpy() for name in ("frequency", "recency", "T", "len")))
    assert (counted.r, counted.alpha, counted.a, counted.b) == pytest.approx(
        (found.r, found.alpha, found.a, found.b), rel=1e-5
    )


def test_the_published_expectation() -> None:
    x, last, age = arrays([2], [30.43], [38.86])
    expected = CDNOW.p_alive(x, last, age) * CDNOW.orders_if_alive(39, x, age)
    assert expected[0] == pytest.approx(1.226, abs=5e-4)


def simulated(customers: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories by the story that the model tells, customer for customer."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        rate, leaves, age = random.gamma(1.2, 1 / 8), random.beta(0.7, 2.2), random.uniform(20, 100)
        day, x, last = random.exponential(1 / rate), 0, 0.0
        while day < age:
            x, last = x + 1, day
            if random.random() < leaves:
                break
            day += random.exponential(1 / rate)
        found.append((x, last, age))
    frequency, recency, ages = arrays(*zip(*found, strict=True))
    return frequency, recency, ages


def test_the_parameters_of_simulated_customers_are_found_again() -> None:
    x, last, age = simulated(20_000)
    found = fit_bg_nbd(x, last, age, np.ones(len(x)))
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((1.2, 8.0, 0.7, 2.2), rel=0.08)


def test_the_amounts_of_simulated_customers_are_found_again() -> None:
    random = np.random.default_rng(2)
    x = random.integers(1, 12, 50_000).astype(float)
    mean = random.gamma(2.0 * x) / (x * random.gamma(3.5, 1 / 50.0, len(x)))
    found = fit_gamma_gamma(x, mean)
    assert (found.p, found.q, found.v) == pytest.approx((2.0, 3.5, 50.0), rel=0.05)
    cents = fit_gamma_gamma(x, mean * 100)
    assert (cents.p, cents.q, cents.v) == pytest.approx((found.p, found.q, found.v * 100), rel=1e-4)


def likelihood(model: BgNbd, x: int, last: float, age: float) -> float:
    """Of one history, written out as the paper has it."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    alive = (
        special.beta(a, b + x)
        / special.beta(a, b)
        * special.gamma(r + x)
        * alpha**r
        / special.gamma(r)
        / (alpha + age) ** (r + x)
    )
    if x == 0:
        return float(alive)
    gone = (
        special.beta(a + 1, b + x - 1)
        / special.beta(a, b)
        * special.gamma(r + x)
        * alpha**r
        / special.gamma(r)
        / (alpha + last) ** (r + x)
    )
    return float(alive + gone)  # fmt: skip


def test_the_log_likelihood_is_that_of_the_paper_and_nothing_near_is_better() -> None:
    x, last, age = simulated(300)
    found = fit_bg_nbd(x, last, age, np.ones(len(x)))

    def total(model: BgNbd) -> float:
        return sum(math.log(likelihood(model, int(n), *rest)) for n, *rest in zip(x, last, age, strict=True))

    assert found.log_likelihood == pytest.approx(total(found), abs=1e-6)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.98, 1.02):
            values = {field: getattr(found, field) for field in ("r", "alpha", "a", "b", "log_likelihood")}
            values[name] *= factor
            assert total(BgNbd(**values)) < found.log_likelihood


def test_the_log_likelihood_of_amounts_integrates_to_one() -> None:
    """A density over means: that of one customer, by which the sum of many stands or falls."""
    random = np.random.default_rng(3)
    x = random.integers(1, 6, 500).astype(float)
    mean = random.gamma(2.0 * x) / (x * random.gamma(4.0, 1 / 30.0, len(x)))
    found = fit_gamma_gamma(x, mean)

    def density(m: float, n: float) -> float:
        p, q, v = found.p, found.q, found.v
        log = special.gammaln(p * n + q) - special.gammaln(p * n) - special.gammaln(q) + q * math.log(v)
        return math.exp(log + (p * n - 1) * math.log(m) + p * n * math.log(n) - (p * n + q) * math.log(n * m + v))

    assert integrate.quad(density, 0, np.inf, args=(2.0,))[0] == pytest.approx(1)
    total = sum(math.log(density(m, n)) for m, n in zip(mean, x, strict=True))
    assert found.log_likelihood == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("history", HISTORIES)
def test_p_alive_is_the_alive_part_of_the_likelihood(model: BgNbd, history: tuple[int, float, float]) -> None:
    """By integrals over rate and share instead of the closed form."""
    x, last, age = history
    found = float(model.p_alive(*arrays([x], [last], [age]))[0])
    if x == 0:
        assert found == 1
        return
    # Beta(a, b + x) against Beta(a + 1, b + x - 1), and the rate's integral at two times; as ratios, so nothing is tiny.
    share = math.exp(special.betaln(model.a + 1, model.b + x - 1) - special.betaln(model.a, model.b + x))
    count, earlier = model.r + x, (model.alpha + last) / (model.alpha + age)
    alive, gone = (
        integrate.quad(
            lambda u, speed=speed: math.exp((count - 1) * math.log(u) - u * speed - special.gammaln(count)),
            0, (count + 12 * math.sqrt(count) + 40) / speed, limit=500, points=[count / speed],
        )[0]
        for speed in (1.0, earlier)
    )  # fmt: skip
    assert found == pytest.approx(alive / (alive + share * gone), rel=1e-6)


def published(model: BgNbd, weeks: float, x: int, age: float) -> float:
    """The formula of the paper, with the series of Gauss written out, in decimals that nothing cancels."""
    with localcontext(prec=120):
        r, alpha, a, b, t, old = (Decimal(v) for v in (model.r, model.alpha, model.a, model.b, weeks, age))
        a += Decimal("1e-30") * (a == 1)  # 0 / 0 at 1, and continuous there
        z, c = t / (alpha + old + t), a + b + x - 1
        term = total = Decimal(1)
        n = 0
        while abs(term) > abs(total) * Decimal("1e-60"):
            term *= (r + x + n) * (b + x + n) / (c + n) / (n + 1) * z
            total += term
            n += 1
        return float(c / (a - 1) * (1 - (1 - z) ** (r + x) * total))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weeks", [1.0, 52.0, 520.0])
def test_expected_orders_are_those_of_the_paper(model: BgNbd, weeks: float) -> None:
    found = model.orders_if_alive(weeks, *arrays([x for x, _, _ in HISTORIES], [age for _, _, age in HISTORIES]))
    expected = [published(model, weeks, x, age) for x, _, age in HISTORIES]
    assert found == pytest.approx(expected, rel=2e-6)  # a = 1 is sidestepped by 1e-6


@pytest.mark.parametrize("model", [CDNOW, MODELS[3], MODELS[4]])
@pytest.mark.parametrize(("x", "age"), [(0, 10.0), (2, 38.86), (7, 38.0)])
def test_expected_orders_are_the_mean_over_who_they_may_be(model: BgNbd, x: int, age: float) -> None:
    """Of who leaves with probability p after an order: (1 - (1 + p t / (alpha + T)) ** -(r + x)) / p."""

    def given(p: float) -> float:
        share = math.exp(
            (model.a - 1) * math.log(p) + (model.b + x - 1) * math.log1p(-p) - special.betaln(model.a, model.b + x)
        )
        return -math.expm1(-(model.r + x) * math.log1p(p * 52 / (model.alpha + age))) / p * share

    found = float(model.orders_if_alive(52, *arrays([x], [age]))[0])
    assert found == pytest.approx(integrate.quad(given, 0, 1, limit=500)[0], rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_discounted_orders_are_a_sum_over_days(model: BgNbd) -> None:
    x, age = arrays([x for x, _, _ in HISTORIES], [age for _, _, age in HISTORIES])
    weeks, yearly = 365 / 7, 0.10
    found = model.discounted_orders_if_alive(weeks, math.log1p(yearly) * 7 / 365, x, age)
    days = np.array([model.orders_if_alive(day / 7, x, age) for day in range(366)])
    days[0] = 0
    by_day = sum((days[n] - days[n - 1]) * (1 + yearly) ** (-(n - 0.5) / 365) for n in range(1, 366))
    assert found == pytest.approx(by_day, rel=1e-6)
    assert model.discounted_orders_if_alive(weeks, 0.0, x, age) == pytest.approx(days[-1], rel=1e-12)


def test_expected_amounts_lie_between_the_mean_of_all_and_that_of_the_customer() -> None:
    model = GammaGamma(p=6.25, q=3.74, v=15.45, log_likelihood=0.0)
    everybody = 6.25 * 15.45 / 2.74
    found = model.mean_amount(*arrays([0, 1, 1, 1_000_000, 3], [0, 100, 0, 100, everybody]))
    assert found[0] == pytest.approx(everybody)
    assert everybody < found[1] < 100
    assert 0 < found[2] < everybody
    assert found[3] == pytest.approx(100, rel=1e-4)
    assert found[4] == pytest.approx(everybody)


def test_customers_who_all_spend_alike_fit_at_a_limit() -> None:
    """No spread between customers: no finite q, and predictions that do not need one."""
    random = np.random.default_rng(4)
    x = random.integers(1, 20, 2_000).astype(float)
    mean = random.gamma(2.0 * x) / (2.0 * x) * 35
    found = fit_gamma_gamma(x, mean)
    assert found.mean_amount(*arrays([0, 5], [0, 90])) == pytest.approx([35, 35], rel=0.03)


def test_amounts_without_any_chance_do_not_fit() -> None:
    with pytest.raises(NotFitted, match="rises without end"):
        fit_gamma_gamma(np.arange(1.0, 101.0), np.full(100, 20.0))


def test_amounts_without_a_mean_do_not_fit() -> None:
    random = np.random.default_rng(5)
    mean = random.gamma(5.0, size=3_000) / random.gamma(0.6, size=3_000)
    with pytest.raises(NotFitted, match="no bound"):
        fit_gamma_gamma(np.ones(3_000) * 3, mean)
