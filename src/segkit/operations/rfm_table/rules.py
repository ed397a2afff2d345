"""What a rule file says of the scores of `segkit rfm`, and a file of cutoffs of what was scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segkit.columns.features.rfm.cuts import RAW
from segkit.io.read import Label
from segkit.operations.orders_file.columns import TABLE, Chosen
from segkit.operations.orders_file.rules import as_toml
from segkit.rules.model.computed.rfm import RFM_COLUMNS, Rfm


def rfm_sections(columns: Chosen, options: Mapping[str, object]) -> list[str]:
    """The lines of `[rfm]` with these options, and of the outputs."""
    if "time" in columns.chosen:
        lines = ["[rfm]", f'events = "{TABLE}"']
    else:
        lines = ["[rfm.columns]", *(f"{role} = {as_toml(columns.chosen[role])}" for role in RAW.values()), "[rfm]"]
    lines += [f"{name} = {as_toml(value)}" for name, value in options.items()]
    return [*lines, "[output]", f"columns = {as_toml(RFM_COLUMNS)}"]


def facts(data: Sequence[str], columns: Chosen, where: str | None, spec: Rfm) -> dict[str, object]:
    """What a file of cutoffs says about the events that were scored."""
    paths = [Label(path).path for path in data]
    path: object = paths[0] if len(paths) == 1 else paths
    of_rows = {"path": path} if where is None else {"path": path, "where": where}
    chosen = {role: columns.chosen[role] for role in columns.chosen if role in ("time", "id", "amount")}
    if "time" not in chosen:
        return of_rows
    return {**of_rows, **chosen, "frequency": spec.frequency, "monetary": spec.monetary}
