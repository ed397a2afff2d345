"""PostgreSQL for tests: a schema of its own for each, on the server that SEGKIT_TEST_POSTGRES names.

The variable is the URL of a database whose user may do everything there; without it, these tests are skipped.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

URL = os.environ.get("SEGKIT_TEST_POSTGRES", "")
needs_server = pytest.mark.skipif(not URL, reason="SEGKIT_TEST_POSTGRES names no PostgreSQL server")


class Server:
    """A schema on a server."""

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection, self.schema = connection, schema

    @property
    def url(self) -> str:
        """An address that sees this schema alone, and holds the password."""
        return f"{URL}{'&' if '?' in URL else '?'}options=-csearch_path%3D{self.schema}"

    @property
    def place(self) -> str:
        """What messages show of it."""
        parts = urlsplit(URL)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def password(self) -> str:
        return urlsplit(URL).password or ""

    def run(self, *statements: str) -> pl.DataFrame:
        """What the last of the statements gives."""
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = pl.DataFrame(cursor.fetch_arrow())
        return rows


def new_schema() -> Iterator[Server]:
    """A schema, and after its use none."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(URL, autocommit=True) as connection:
        server = Server(connection, f"test_{secrets.token_hex(6)}")
        server.run(f"create schema {server.schema}", f"set search_path to {server.schema}")
        try:
            yield server
        finally:
            server.run(f"drop schema {server.schema} cascade")
