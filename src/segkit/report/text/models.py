"""The fitted models, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from segkit.report.text.tables import numeric, plain_table
from segkit.results.parts import FittedModel
from segkit.words import count


def model_table(models: Sequence[FittedModel]) -> RenderableType | None:
    """A line a model: its parameters to four digits, and what it was fitted to."""
    if not models:
        return None
    table = plain_table()
    table.add_column("Model", no_wrap=True)
    table.add_column("Parameters", overflow="fold")
    numeric(table, "Log-lik.", "Customers", "Repeat")
    for model in models:
        parameters = " ".join(f"{name}={value:.4g}" for name, value in model.parameters.items())
        likelihood = f"{model.log_likelihood:,.{2 if abs(model.log_likelihood) < 100_000 else 0}f}"
        table.add_row(model.name, parameters, likelihood, count(model.customers), count(model.repeaters))
    return table
