"""Value at risk of a portfolio in floats: reports only. The engine's integers decide about money.

A portfolio is its `delta`: USD gained when a price doubles, one number a market. Losses are positive.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class ValueAtRisk(NamedTuple):
    """The loss that is not exceeded with the confidence asked for, and the average of the losses that are worse."""

    value: float
    expected_shortfall: float


class Concentration(NamedTuple):
    """Each market's share of the gross exposure, and the sum of their squares: 1 is all in one market."""

    shares: Floats
    herfindahl: float


def historical(gains: Floats, *, confidence: float) -> ValueAtRisk:
    """Return the figures over what past periods would have gained, each as likely as another."""
    losses = np.sort(-gains)
    place = max(0, int(np.ceil(len(losses) * confidence)) - 1)
    return ValueAtRisk(max(0.0, float(losses[place])), max(0.0, float(losses[place:].mean())))


def parametric(delta: Floats, returns: Floats, *, confidence: float) -> ValueAtRisk:
    """Return the figures of a normal distribution with the returns' covariance and no drift."""
    deviation = math.sqrt(max(0.0, float(delta @ covariance(returns) @ delta)))
    normal = NormalDist()
    quantile = normal.inv_cdf(confidence)
    return ValueAtRisk(quantile * deviation, normal.pdf(quantile) / (1 - confidence) * deviation)


def covariance(returns: Floats) -> Floats:
    """Return the covariance of the columns about zero: over a day the drift is noise."""
    return np.asarray(returns.T @ returns / len(returns))


def correlation(returns: Floats) -> Floats:
    """Return the correlation of the columns; one that never moved goes with nothing but itself."""
    shared = covariance(returns)
    deviation = np.sqrt(np.diag(shared))
    scale = np.outer(deviation, deviation)
    found = np.divide(shared, scale, out=np.zeros_like(shared), where=scale > 0)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def volatility(returns: Floats) -> Floats:
    """Return each column's standard deviation for one period."""
    return np.asarray(np.sqrt(np.diag(covariance(returns))))


def concentration(notional: Floats) -> Concentration:
    """Return how unequal a portfolio's markets are by their gross exposure."""
    gross = np.abs(notional)
    total = gross.sum()
    shares = gross / total if total > 0 else np.zeros_like(gross)
    return Concentration(shares, float(shares @ shares))
