"""The type of what a fixture of this folder gives, for the signatures of its tests."""

from __future__ import annotations

from collections.abc import Callable

from segkit.io.read import Table

Opener = Callable[..., Table]
