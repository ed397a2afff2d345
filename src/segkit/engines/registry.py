"""The engines that there are. Nothing is loaded here but their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

LOCAL = "local"
ENGINES: Mapping[str, str] = {LOCAL: "", "spark": "segkit.engines.spark"}
"""Name of the engine, and of the extra that it needs -> the module that starts it, which nobody else loads."""


class Asked(NamedTuple):
    """The engine that is asked for, where its machines are, and what it is told beside."""

    name: str = LOCAL
    master: str | None = None
    options: Mapping[str, str] = MappingProxyType({})


HERE = Asked()


class Resources(NamedTuple):
    """What a run computes with: bytes of memory, or buckets, on an engine, with folders for what lies on disk.

    What is in `work` is gone afterwards; large texts stay in `cache`.
    """

    memory: int | None = None
    buckets: int | None = None
    engine: Asked = HERE
    work: Path | None = None
    cache: str | None = None


USUAL = Resources()
