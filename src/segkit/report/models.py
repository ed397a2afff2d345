"""The fitted models, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from segkit.report.numbers import count
from segkit.report.tables import numeric, plain_table
from segkit.results import FittedModel


def model_table(models: Sequence[FittedModel]) -> RenderableType | None:
    """A line a model: its parameters to four digits, and what it was fitted to."""
    if not models:
        return None
    table = plain_table()
    table.add_column("Model", no_wrap=True)
    table.add_column("Parameters", overflow="fold")
    numeric(table, "Log-lik.", "Customers", "Repeat")
    for model in models:
        parameters = " ".join(f"{name} {value:.4g}" for name, value in model.parameters.items())
        table.add_row(
            model.name, parameters, f"{model.log_likelihood:,.2f}", count(model.customers), count(model.repeaters)
        )
    return table
