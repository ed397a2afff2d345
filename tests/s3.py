"""A server of S3 for tests: a bucket of its own for each, on the server that SEGKIT_TEST_S3 names.

The variable is the address of one that lets everyone in, such as moto's (`pip install "moto[server]"`, `moto_server -p
5000`, `SEGKIT_TEST_S3=http://127.0.0.1:5000`); without it, these tests are skipped.
"""

from __future__ import annotations

import os
import secrets
import urllib.request
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

URL = os.environ.get("SEGKIT_TEST_S3", "")
needs_server = pytest.mark.skipif(not URL, reason="SEGKIT_TEST_S3 names no server of S3")
KEY, SECRET = "AKIDTEST", "SESAME/SESAME+SESAME"


class Cloud:
    """A bucket."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root = f"s3://{name}"
        self._ask("PUT")

    def put(self, key: str, content: str | bytes) -> str:
        """The address of an object that holds this from now on."""
        self._ask("PUT", key, content.encode() if isinstance(content, str) else content)
        return f"{self.root}/{key}"

    def put_folder(self, folder: Path, key: str = "") -> None:
        """All files of a folder, below a key."""
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            self.put(f"{key}{file.relative_to(folder)}", file.read_bytes())

    def get(self, key: str) -> bytes:
        """What an object holds."""
        return self._ask("GET", key)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._ask("DELETE", key)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of all objects that begin so, up to a thousand."""
        found = Xml.fromstring(self._ask("GET", query=f"?list-type=2&prefix={quote(prefix)}"))
        return [str(one.text) for one in found.iter("{http://s3.amazonaws.com/doc/2006-03-01/}Key")]

    def _ask(self, method: str, key: str = "", content: bytes | None = None, query: str = "") -> bytes:
        address = f"{URL}/{self.name}/{quote(key)}" if key else f"{URL}/{self.name}{query}"
        # Moto looks at no signature, but only whoever brings one may replace and remove.
        signed = (
            f"AWS4-HMAC-SHA256 Credential={KEY}/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        )
        headers = {"Content-Type": "application/octet-stream", "Authorization": signed}
        request = urllib.request.Request(address, data=content, method=method, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())


def forget(patch: pytest.MonkeyPatch, home: Path) -> None:
    """No settings of clouds from the environment or from files, and no metadata service."""
    for name in [name for name in os.environ if name.upper().startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
        patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")


def let_in(patch: pytest.MonkeyPatch, home: Path, endpoint: str = URL) -> None:
    """Settings with which all of a server may be read and written, and none but these."""
    forget(patch, home)
    patch.setenv("AWS_ACCESS_KEY_ID", KEY)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    patch.setenv("AWS_ENDPOINT_URL", endpoint)


def new_cloud() -> Cloud:
    """An empty bucket."""
    return Cloud(f"test-{secrets.token_hex(6)}")


@contextmanager
def a_cloud(home: Path) -> Iterator[Cloud]:
    """An empty bucket, and what is needed to be let in, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        let_in(patch, home)
        yield new_cloud()
