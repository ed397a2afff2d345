"""`cache`: what runs keep of large texts from one to the next."""

from __future__ import annotations

from pathlib import Path

from segkit.errors import RuleError, WriteError
from segkit.io.read.text.kept import begun_in, drop, entries_in
from segkit.io.write import FORMATS
from segkit.rules.text.loader import load_rules
from segkit.words import plural

RULES = Path("segments.toml")


def clear(folder: Path | None) -> str:
    """Remove all that is in a cache, by default of that of the rule file here; what was done, in words.

    A run that reads it just now fails, and says so. Raises `RuleError` where nothing says which one, `WriteError` where
    something stays.
    """
    if folder is not None and not folder.is_dir():
        raise RuleError.of(f"there is no folder `{folder}`", hint="name the one of `--cache`, or of `[cache]`")
    folder = folder or _of_rules()
    entries = [*entries_in(folder), *begun_in(folder)]
    size = sum(file.stat().st_size for entry in entries for file in entry.iterdir())
    for entry in entries:
        drop(entry)
    if stays := next((entry for entry in entries if entry.exists()), None):
        raise WriteError.of(
            f"cannot remove `{stays}`", hint="get permission to write there: it holds rows of customers"
        )
    return f"removed {plural(len(entries), 'file')} from `{folder}`, {size / 1e6:,.1f} MB"


def _of_rules() -> Path:
    hint = "name the folder: `segkit cache clear DIR`"
    if not RULES.is_file():
        raise RuleError.of(f"there is no `{RULES}` here that says where the cache is", hint=hint)
    loaded = load_rules(RULES, formats=FORMATS)
    if loaded.rules.cache is None:
        raise RuleError.of(f"`{RULES}` has no `[cache]`", hint=hint)
    return loaded.source.directory / loaded.rules.cache.directory
