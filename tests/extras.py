"""What the extras of pyproject.toml bring, and which of them are not installed here.

A test that needs one is marked `@pytest.mark.extra("geo")`: it is skipped, and says so, where that extra is absent.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from segkit.io.write import FORMATS

EXTRAS = {
    "geo": ("shapely", "numpy"),
    "charts": ("altair", "vl_convert"),
    "predict": ("numpy", "scipy"),
    "report": ("jinja2",),
    "excel": ("fastexcel", "xlsxwriter"),
    "zstd": ("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd",),
    "database": ("adbc_driver_postgresql",),
    "duckdb": ("duckdb",),
    "lake": ("deltalake",),
    "bucket": ("obstore",),
    "spark": ("pyspark", "cloudpickle", "py4j"),
    "audit": ("email_validator",),
    "audiences": ("phonenumbers",),
    "discover": ("sklearn",),
    "spark-connect": ("pyspark", "cloudpickle", "grpc", "pyarrow"),
}
"""Extra -> the modules that it brings, or that make it needless."""


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it is not there either
        return False


ABSENT = frozenset(extra for extra, modules in EXTRAS.items() if not all(map(_is_there, modules)))

EVERY_FORMAT = [pytest.param(n, marks=[pytest.mark.extra(f.extra)] if f.extra else []) for n, f in FORMATS.items()]
"""The formats as cases of a test, each where what it needs is installed."""
