"""A place in a bucket, in which objects have names as files have in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from segkit.addresses import is_here
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError, SegkitError, WriteError
from segkit.io.cloud.address import parsed
from segkit.io.cloud.refused import Reason, Refused
from segkit.io.cloud.store import Bucket, Item, open_bucket

_ASKED_WRONGLY = (Reason.ADDRESS, Reason.EXTRA)


class Prefix(NamedTuple):
    """A place in a bucket, `shown` to people as its address. What fails there raises `failure`."""

    bucket: Bucket
    key: str
    shown: str
    failure: type[SegkitError]

    def items(self, folder: str = "") -> dict[str, Item]:
        """All objects there, or those in a folder of it, by name."""
        with failing(self.failure):
            found = self.bucket.list(f"{self._of(folder)}/" if folder else f"{self.key}/")
        return {item.key.removeprefix(f"{self.key}/"): item for item in found}

    def find(self, name: str) -> Item | None:
        """What there is to say of an object; None where there is none."""
        with failing(self.failure):
            return self.bucket.head(self._of(name))

    def read(self, name: str) -> bytes | None:
        """A small object as a whole; None where there is none."""
        with failing(self.failure):
            try:
                return self.bucket.get(self._of(name))
            except Refused as refused:
                if refused.reason is Reason.NO_KEY:
                    return None
                raise

    def json(self, name: str) -> Any:
        """What an object holds; None where it is not there, or is no JSON."""
        content = self.read(name)
        with suppress(ValueError):
            return None if content is None else json.loads(content)
        return None

    def get_to(self, name: str, path: Path) -> None:
        """Copy an object to a file; the folders above it are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with failing(self.failure):
            self.bucket.get_to(self._of(name), path)

    def put(self, path: Path, name: str) -> None:
        """Copy a file to an object."""
        with failing(self.failure):
            self.bucket.put(path, self._of(name))

    def put_bytes(self, name: str, content: bytes) -> None:
        """Write a small object."""
        with failing(self.failure):
            self.bucket.put_bytes(self._of(name), content)

    def put_new(self, name: str, content: bytes) -> bool:
        """Write a small object; False where there is one already."""
        with failing(self.failure):
            return self.bucket.put_if_absent(self._of(name), content) is not None

    def put_over(self, name: str, content: bytes, etag: str | None) -> bool:
        """Write a small object in the place of the one with this ETag; False where it is another one now, or gone."""
        with failing(self.failure):
            return self.bucket.put_if_match(self._of(name), content, etag or "") is not None

    def copy(self, name: str, to: str) -> None:
        """Copy an object."""
        with failing(self.failure):
            self.bucket.copy(self._of(name), self._of(to))

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        with failing(self.failure):
            self.bucket.delete([self._of(name) for name in names])

    def _of(self, name: str) -> str:
        return f"{self.key}/{name}"


def unencrypted(prefix: Prefix) -> list[Diagnostic]:
    """A warning where what is written there goes unencrypted to another machine."""
    server = urlsplit(prefix.bucket.endpoint or "")
    if server.scheme != "http" or is_here(server.hostname or ""):
        return []
    message = f"`{prefix.shown}` is written unencrypted: whoever is on the way can read it, and change it"
    return [Diagnostic(message, hint="give the server as `https://` in `AWS_ENDPOINT_URL`", severity=Severity.WARNING)]


def written_to(address: str) -> Prefix:
    """The place that an address such as `s3://bucket/segments` names, to be written to; what fails is a `WriteError`.

    Raises `RuleError` for what is no address of a place in a bucket, and without the extra.
    """
    return _opened(address, WriteError)


def read_from(address: str) -> Prefix:
    """The same to be read; what fails is a `DataError`."""
    return _opened(address, DataError)


def _opened(text: str, failure: type[SegkitError]) -> Prefix:
    with failing(failure):
        address = parsed(text)
        return Prefix(open_bucket(address), address.key, str(address), failure)


@contextmanager
def failing(failure: type[SegkitError]) -> Iterator[None]:
    """What a bucket refuses inside the block, in one line."""
    try:
        yield
    except Refused as refused:
        kind = RuleError if refused.reason in _ASKED_WRONGLY else failure
        raise kind.of(refused.message, hint=refused.hint) from None
