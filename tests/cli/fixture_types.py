"""The types of what the fixtures of this folder give, for the signatures of its tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from click.testing import Result

from segkit.results.apply import ApplyResult

Invoke = Callable[..., Result]
Process = Callable[..., subprocess.CompletedProcess[str]]
Replace = Callable[[str, Callable[..., Any]], None]
MakeResult = Callable[..., ApplyResult]
