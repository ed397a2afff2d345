"""`apply --save-cutoffs DIR`: the cutoffs of each RFM table of a rule file, a file for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import publish_file
from segkit.io.write import STDOUT
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.rfm_table.save_cutoffs import cutoffs_text
from segkit.rules.check.rfm import rows_that_count
from segkit.rules.model.computed.rfm import CUTOFFS_FILE
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded

SPLIT = '`ties = "split"` tells equal values apart by key: there are no cutoffs that another day could use'
ANOTHER = "name another folder"


def files_of(rules: RuleFile, directory: str) -> dict[str, Path]:
    """RFM table -> its file in the folder."""
    return {table: Path(directory) / f"{table or CUTOFFS_FILE}.cutoffs.toml" for table in rules.rfm}


def refuse_saving(loaded: Loaded, directory: str, output: Path | None) -> None:
    """`RuleError` or `WriteError` for cutoffs that cannot be saved there, before anything is computed.

    `output` is the output directory, if there is one.
    """
    rules = loaded.rules
    require_local(directory)
    if directory == STDOUT:
        raise RuleError.of("`--save-cutoffs -`: cutoffs are saved in files", hint="name a folder, such as cutoffs")
    if not rules.rfm:
        raise RuleError.of("`--save-cutoffs`: the rule file has no `[rfm]`", hint="add one, or leave the option out")
    split = [loaded.source.value_at("rfm", table, "ties") for table, rfm in rules.rfm.items() if rfm.ties == "split"]
    if split:
        hint = '`--save-cutoffs` saves those of `ties = "low"` or `ties = "high"`'
        raise RuleError(*(Diagnostic(SPLIT, place, hint) for place in split))
    folder = Path(directory)
    if folder.suffix == ".toml":
        message = f"cannot save cutoffs in `{directory}`: each RFM table has a file of its own, in a folder"
        raise WriteError.of(message, hint=f"name the folder: `--save-cutoffs {folder.parent}`")
    if folder.exists() and not folder.is_dir():
        raise WriteError.of(f"cannot save cutoffs in `{directory}`: it is a file", hint="name a folder")
    if output and output.resolve() in folder.resolve().parents:
        message = f"cannot save cutoffs in `{directory}`: it lies in the output directory, which each run replaces"
        raise WriteError.of(message, hint=ANOTHER)
    _spare(files_of(rules, directory), [loaded.source.path, *(file.path for file in loaded.source.included.values())])


def contents_of(evaluated: Evaluated, directory: str) -> dict[Path, bytes]:
    """The files of cutoffs and what they will hold.

    Raises `DataError` where nobody has a score, and `WriteError` where a file was read.
    """
    rules = evaluated.plan.rules
    _spare(files_of(rules, directory), [read.label.path for read in evaluated.inputs])
    return {
        path: cutoffs_text(evaluated, table, _scored(rules, table)).encode()
        for table, path in files_of(rules, directory).items()
    }


def _spare(files: Mapping[str, Path], read: Iterable[str]) -> None:
    """`WriteError` where cutoffs would take the place of what is read."""
    inputs = {Path(path).resolve() for path in read}
    if path := next((path for path in files.values() if path.resolve() in inputs), None):
        message = f"`{path}` is an input: the cutoffs of today would take its place"
        raise WriteError.of(message, hint=f"{ANOTHER}, and compare the two")


def write_all(contents: Mapping[Path, bytes], *, wait: bool, on_wait: Callable[[str], None]) -> None:
    """Each file appears whole, or stays as it was."""
    for path, content in contents.items():
        with publish_file(path, wait=wait, on_wait=on_wait) as target:
            target.write_bytes(content)


def _scored(rules: RuleFile, table: str) -> dict[str, object]:
    """What a file of cutoffs says about the events, or the customers, that were scored."""
    rfm = rules.rfm[table]
    counted: dict[str, object] = {"conditions": rows} if (rows := rows_that_count(rules, rfm)) else {}
    if rfm.columns:
        return {"path": rules.customers.path, **counted} if rules.customers.path else counted
    source = rules.events[rfm.events]
    columns = {"time": source.time, "id": source.id, "amount": source.amount}
    named = {role: column for role, column in columns.items() if column}
    return {"path": source.path, **counted, **named, "frequency": rfm.frequency, "monetary": rfm.monetary}
