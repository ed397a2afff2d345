"""`--save-rules FILE`: the rule file of a discovery, which `apply` runs and people read, correct and keep."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import tomli

from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import publish_file
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.discovering.saved.blocks import building_blocks, needed_segments
from segkit.operations.discovering.saved.carried import carried
from segkit.operations.discovering.saved.sections import sections_of
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.progress import Progress, silent
from segkit.operations.starting.lines.toml_lines import comment
from segkit.rules.text.expand import NO_OVERRIDES, Overrides
from segkit.rules.text.loader import Loaded, load_rules_text

MARK = "# Made by `segkit "
"""How the first line of each such file begins."""
ANOTHER = "name another file"


def refuse_target(loaded: Loaded, target: str) -> None:
    """`RuleError` or `WriteError` for a rule file that cannot be saved there, before anything is computed."""
    require_local(target)
    path = Path(target)
    if target == STDOUT or path.suffix.lower() != ".toml":
        message = f"`--save-rules {target}`: rules are saved in a file of TOML"
        raise RuleError.of(message, hint="name one, such as `--save-rules found.toml`")
    if path.is_dir():
        raise WriteError.of(f"cannot write `{target}`: it is a folder", hint="name a file in it")
    read = [loaded.source.path, *(file.path for file in loaded.source.included.values())]
    if path.resolve() in {Path(one).resolve() for one in read}:
        raise WriteError.of(f"`{target}` is an input: the rules that are found would take its place", hint=ANOTHER)
    if path.is_file() and not path.read_bytes().startswith(MARK.encode()):
        hint = f"{ANOTHER}; only files whose first line begins with `{MARK}...` are written over"
        raise WriteError.of(f"`{target}` is there already, and no discovery has written it", hint=hint)


def spare_inputs(evaluated: Evaluated, target: str) -> None:
    """`WriteError` where the rules would take the place of a file that was read."""
    if Path(target).resolve() in {Path(read.label.path).resolve() for read in evaluated.inputs}:
        raise WriteError.of(f"`{target}` is an input: the rules that are found would take its place", hint=ANOTHER)


def save_rules(
    loaded: Loaded,
    target: str,
    sections: Sequence[str],
    *,
    command: str,
    told: Sequence[str],
    given: Overrides = NO_OVERRIDES,
    columns: Sequence[str] | None = None,
    assignment_mode: Literal["exclusive"] | None = None,
    wait: bool = True,
    on_wait: Progress = silent,
) -> None:
    """Write the rule file `target`, in one step: a head, what the rules say but their segments, then `sections`.

    The head names the `command`, such as `basket`, and has what is `told`, each a comment. `given` is what took the
    place of keys of the rules, `columns` are those of the lists where they are others than the rules say. Each line of
    `sections` is one of TOML. The lists go to a folder that is called like the file. Segments that stages and scores
    refer to stay, as building blocks.
    """
    path = Path(target)
    data = carried(loaded, path.parent, given)
    data["output"] = {"directory": path.stem, **data.get("output", {})}
    if columns is not None and "audience" not in data["output"]:  # whose platform says what the columns are
        data["output"]["columns"] = list(columns)
    if assignment_mode:
        data["assignment"] = {"mode": assignment_mode, **data.get("assignment", {})}
    there = tomli.loads("\n".join(sections)).get("segment", {})
    blocks = building_blocks(loaded, needed_segments(loaded.rules), path.parent, there=there)
    text = "\n".join([*_head(command, path, told), "", *sections_of(data), *blocks, "", *sections]) + "\n"
    with publish_file(path, wait=wait, on_wait=on_wait) as staging:  # the folder is there from here on
        load_rules_text(text, target, formats=FORMATS)  # what cannot be read is not written
        staging.write_text(text, encoding="utf-8")
        if Path(loaded.source.path).is_file():
            shutil.copymode(loaded.source.path, staging)  # a password may stand in both


def _head(command: str, path: Path, told: Sequence[str]) -> list[str]:
    return [
        f"{MARK}{command}`, which writes over this file as long as this line stands here.",
        "#",
        *(line for one in told for line in comment(one)),
        "#",
        f"#   segkit check {path.name} --data",
        f"#   segkit apply {path.name}          writes one list a segment into `{path.stem}/`",
    ]
