"""The engines that there are. Nothing is loaded here but their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

LOCAL, SPARK = "local", "spark"
ENGINES = (LOCAL, SPARK)
MODULES: Mapping[str, str] = {SPARK: "segkit.engines.spark", "spark-connect": "segkit.engines.connect"}
"""Extra that a way to an engine needs -> the module that starts it, which nobody else loads."""
REMOTE = "SPARK_REMOTE"
"""The variable in which Spark looks for the address of a cluster."""
CONNECT = "sc://"
"""How the address of a server of Spark Connect begins."""


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
