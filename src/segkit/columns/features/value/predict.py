"""What customers will buy: BG/NBD for how often, Gamma-Gamma for how much, both fitted by maximum likelihood.

Fader, Hardie, Lee: "Counting Your Customers" the Easy Way, Marketing Science 24 (2005); Fader, Hardie: The
Gamma-Gamma Model of Monetary Value (2013). Time is in weeks. For each customer `x` counts the days with an order after
the first one, `last` is the time from the first to the last of them, `age` that from the first to now.

Everything here is numpy and scipy over whole arrays; this module is only imported where a rule file predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln, hyp2f1

Floats: TypeAlias = NDArray[np.float64]
Numbers = TypeVar("Numbers", Floats, pl.Expr)
LIMIT = 12.0
"""Parameters are looked for between exp(-12) and exp(12)."""
FLAT = 1e-4
"""A slope per customer below this counts as none: it is 1e-8 at a maximum, 0.1 or more at a limit that is none."""
NODES = 12
"""Points of the integral over the horizon: 12 are exact to eight digits or more, as the integrand is smooth."""


class NotFitted(Exception):
    """The likelihood has no maximum, or one that predicts nothing: the text says which."""


class BgNbd(NamedTuple):
    """Orders come at a rate that is Gamma(r, alpha); after each one, a Beta(a, b) share of customers never returns."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def p_alive(self, x: Floats, last: Floats, age: Floats) -> Floats:
        """The probability that a customer is still one; 1 before the second order, as only orders end it."""
        repeated = np.maximum(x, 1)
        odds = np.log(self.a / (self.b + repeated - 1)) + (self.r + x) * np.log(
            (self.alpha + age) / (self.alpha + last)
        )
        alive: Floats = np.where(x > 0, expit(-odds), 1.0)
        return alive

    def orders_if_alive(self, weeks: float, x: Floats, age: Floats) -> Floats:
        """Expected orders in the next `weeks` of a customer who is still one.

        The published form is 2F1(r + x, b + x; a + b + x - 1; z), which grows beyond all bounds where a is below r + x;
        there, Euler's transformation gives a second form that does not. Together they agree with 120 digits to
        1e-10. a = 1, where the formula is 0 / 0, is sidestepped.
        """
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        rate, stays, both = self.r + x, self.b + x, a + self.b + x - 1
        z = weeks / (self.alpha + age + weeks)
        euler = a - 1 < rate
        with np.errstate(over="ignore", invalid="ignore"):
            series = hyp2f1(np.where(euler, both - rate, rate), np.where(euler, a - 1, stays), both, z)
            orders: Floats = both / (a - 1) * (1 - (1 - z) ** np.where(euler, a - 1, rate) * series)
        return orders

    def discounted_orders_if_alive(self, weeks: float, weekly_rate: float, x: Floats, age: Floats) -> Floats:
        """Expected orders in the next `weeks`, each one discounted from its time to now at `weekly_rate` (a log).

        Integrated by parts, so that it takes nothing but the expectation: discount(h) E(h) + rate * integral of
        discount(t) E(t).
        """
        total: Floats = np.exp(-weekly_rate * weeks) * self.orders_if_alive(weeks, x, age)
        points, weights = np.polynomial.legendre.leggauss(NODES)
        for point, weight in zip((points + 1) / 2 * weeks, weights / 2 * weeks, strict=True):
            total += weekly_rate * weight * np.exp(-weekly_rate * point) * self.orders_if_alive(point, x, age)
        return total


class GammaGamma(NamedTuple):
    """The mean amount of a customer is Gamma(p, nu), with nu of customers Gamma(q, v)."""

    p: float
    q: float
    v: float
    log_likelihood: float

    def mean_amount(self, x: Numbers, mean: Numbers) -> Numbers:
        """Expected amount of an order of customers with `x` orders of this mean; without any, that of all customers."""
        return self.p * (self.v + x * mean) / (self.p * x + self.q - 1)


def fit_bg_nbd(x: Floats, last: Floats, age: Floats, customers: Floats) -> BgNbd:
    """The model of these histories; `customers` is how many have each of them.

    Raises `NotFitted`.
    """
    counts, at = np.unique(x, return_inverse=True)
    repeated = x > 0
    total = customers.sum()

    def negative(logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(logs)
        log_age, log_last = np.log(alpha + age), np.log(alpha + last)
        alive = -(r + x) * log_age
        gone = np.where(repeated, np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * log_last, -np.inf)
        either = np.logaddexp(alive, gone)
        share_gone = np.exp(gone - either)
        share_alive = 1 - share_gone
        # What depends on x alone is computed once for each of its values.
        by_count = (
            gammaln(r + counts) - gammaln(r) + r * logs[1]
            + gammaln(a + b) + gammaln(b + counts) - gammaln(b) - gammaln(a + b + counts)
        )  # fmt: skip
        by_r = digamma(r + counts) - digamma(r) + logs[1]
        by_a = digamma(a + b) - digamma(a + b + counts)
        by_b = by_a + digamma(b + counts) - digamma(b)
        slopes = (
            r * (by_r[at] - share_alive * log_age - share_gone * log_last),
            alpha * (r / alpha - (r + x) * (share_alive / (alpha + age) + share_gone / (alpha + last))),
            a * (by_a[at] + share_gone / a),
            b * (by_b[at] - share_gone / (b + np.maximum(x, 1) - 1)),
        )
        value = (customers * (by_count[at] + either)).sum()
        return -value / total, -np.array([(customers * slope).sum() for slope in slopes]) / total

    scale = float(np.log((customers * age).sum() / total + 1e-9))
    starts = [(-1.4, scale - 2, -0.2, 0.9), (0.0, scale, 0.0, 0.0), (1.0, scale, -3.0, 0.0)]
    (r, alpha, a, b), best = _maximum("BG/NBD", negative, starts)
    r, alpha, a, b = map(_known, (r, alpha, a, b))
    return BgNbd(r=r, alpha=alpha, a=a, b=b, log_likelihood=-best * float(total))


def fit_gamma_gamma(x: Floats, mean: Floats) -> GammaGamma:
    """The model of customers with `x` orders of this mean amount, both above 0.

    Raises `NotFitted`, also where the mean over all customers would be infinite (q <= 1).
    """
    counts, at = np.unique(x, return_inverse=True)
    scale = float(np.exp(np.mean(np.log(mean))))
    amount = mean / scale  # so that one start serves cents and millions; v takes the scale back
    log_amount = np.log(amount)
    size = len(x)

    def negative(logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        both = x * amount + v
        log_both = np.log(both)
        px = p * counts
        by_count = gammaln(px + q) - gammaln(px) - gammaln(q) + q * logs[2] + px * np.log(counts)
        by_p = counts * (digamma(px + q) - digamma(px) + np.log(counts))
        by_q = digamma(px + q) - digamma(q) + logs[2]
        value = by_count[at] + (p * x - 1) * log_amount - (p * x + q) * log_both
        slopes = (
            p * (by_p[at] + x * (log_amount - log_both)),
            q * (by_q[at] - log_both),
            v * (q / v - (p * x + q) / both),
        )
        return -float(value.mean()), -np.array([slope.mean() for slope in slopes])

    starts = [(1.0, 1.3, 1.0), (0.0, 1.0, 0.0), (-0.5, 2.0, 2.0)]
    (p, q, v), best = _maximum("Gamma-Gamma", negative, starts)
    if _known(q) <= 1:
        raise NotFitted("by Gamma-Gamma, amounts differ so much that their mean has no bound")
    p, q, v = map(_known, (p, q, v * scale))
    return GammaGamma(p, q, v, log_likelihood=-best * size - size * float(np.log(scale)))


def _known(parameter: float) -> float:
    """A parameter to six digits: a fit is exact to as many, so that every machine, and a later run, predicts alike."""
    return float(f"{parameter:.6g}")


def _maximum(
    model: str, negative: Callable[[Floats], tuple[float, Floats]], starts: Sequence[Sequence[float]]
) -> tuple[list[float], float]:
    """The parameters at which `negative` is least, and its value there: the best of several starts.

    `negative` takes the logarithms of the parameters. Raises `NotFitted` where its slope does not end. At a limit it
    may be flat: customers who are all alike have no finite parameters, but predictions that hardly depend on them.
    """
    fits = [
        minimize(
            negative,
            np.array(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LIMIT, LIMIT)] * len(start),
            options={"maxiter": 1_000, "ftol": 1e-15, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min((one for one in fits if np.isfinite(one.fun)), key=lambda one: one.fun, default=None)
    if best is None or not np.abs(best.jac).max() < FLAT:
        raise NotFitted(f"the likelihood of {model} rises without end")
    return [float(value) for value in np.exp(best.x)], float(best.fun)
