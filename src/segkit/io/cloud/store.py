"""One bucket: what is in it, and how it comes and goes."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from segkit.io.cloud.address import Address
from segkit.io.cloud.refused import AGAIN, TRIES, Reason, Refused, in_our_words, meaning, not_installed
from segkit.io.cloud.settings import Settings, has_file, of_s3

PAUSE = 0.5
"""Seconds before a server is asked the second time."""
WITHIN = 30.0
"""Seconds in which a server must begin to answer, and go on."""
_WHOLE_DAY = dt.timedelta(days=1)
"""No limit to how long a body may come: `WITHIN` is that of each piece."""
_PARTS = 4
"""Parts of a large file that are on their way at once, of 5 MiB each, since several files are."""

Answered = TypeVar("Answered")


def _again(ask: Callable[[], Answered], *reasons: Reason) -> Answered:
    """What a server answers; asked again where it fails for one of these reasons, at which the library leaves it."""
    for left in reversed(range(TRIES)):
        try:
            return ask()
        except Refused as refused:
            if refused.reason not in reasons or not left:
                raise
            time.sleep(PAUSE)
    raise AssertionError("the last try ends in an error")


class Item(NamedTuple):
    """An object in a bucket, as a server lists it."""

    key: str
    size: int
    """Bytes."""
    etag: str | None
    """What tells this content from others of the same key, without quotation marks."""
    version: str | None
    """That of the object, where the bucket keeps versions."""
    modified: dt.datetime

    def is_like(self, other: Item | None) -> bool:
        """Whether another look at the same key has found the same content."""
        if other is None or (self.size, self.etag, self.version) != (other.size, other.etag, other.version):
            return False
        return self.etag is not None or self.modified == other.modified


class Bucket:
    """A bucket that is open; each of its methods raises `Refused`, and says what in one line."""

    def __init__(self, address: Address, store: Any, settings: Settings) -> None:
        self.address = address
        self._store = store
        self._settings = settings
        self._provider = self._keys  # one and the same, by which Polars knows the connections that it has

    @property
    def host(self) -> str:
        """The server, as messages name it."""
        if self._settings.endpoint:
            return urlsplit(self._settings.endpoint).netloc
        return {"s3": "Amazon S3", "az": "Azure", "gs": "Google Cloud Storage"}[self.address.scheme]

    @property
    def endpoint(self) -> str | None:
        """The address of the server, where it is not that of the cloud."""
        return self._settings.endpoint

    @property
    def scans(self) -> bool:
        """Whether Polars is let in as this is: where it is given no keys, it takes those of any profile of a file."""
        return bool(self._settings.access_key_id) or not has_file() or self.address.scheme != "s3"

    def scanning(self) -> dict[str, Any]:
        """The settings as keywords for what Polars scans: to keys that come by no function, it adds any token."""
        patience = {
            "max_retries": TRIES - 1,
            "retry_timeout_ms": int(WITHIN * 1000),
            "retry_init_backoff_ms": int(PAUSE * 1000),
            "retry_max_backoff_ms": int(PAUSE * 2000),
        }
        keys = self._settings.keys
        where = {name: value for name, value in self.settings().items() if name not in keys}
        return {"storage_options": {**where, **patience}, "credential_provider": self._provider if keys else None}

    def settings(self) -> dict[str, str]:
        """The settings for deltalake, as `storage_options`: credentials, so they go into no message and no file."""
        return self._settings.named if self.address.scheme == "s3" else {}

    def _keys(self) -> tuple[dict[str, str], None]:
        """Whose keys these are, as Polars asks for them; they do not end."""
        return self._settings.keys, None

    def means(self, error: BaseException, key: str = "") -> Refused:
        """What an error of Polars means that comes while it reads an object."""
        return meaning(error, at=self.address.at(key), host=self.host)

    def list(self, prefix: str = "") -> tuple[Item, ...]:
        """All objects below a prefix, which ends where a folder does, in the order of their keys.

        What only marks a folder is none: an empty object below whose key others lie, as consoles make them.
        """
        found = _again(lambda: self._listed(prefix), Reason.CUT)
        folders = {str(parent) for one in found for parent in PurePosixPath(one.key).parents}
        return tuple(sorted(one for one in found if one.key != prefix and (one.size or one.key not in folders)))

    def _listed(self, prefix: str) -> Sequence[Item]:
        import obstore

        with self._in_our_words(prefix, "listed"):
            return [_item(one) for some in obstore.list(self._store, prefix or None, chunk_size=1000) for one in some]

    def holds(self, prefix: str) -> bool:
        """Whether anything lies below a prefix: the first page of its list tells."""
        return _again(lambda: self._holds(prefix), Reason.CUT)

    def _holds(self, prefix: str) -> bool:
        import obstore

        with self._in_our_words(prefix, "listed"):
            return any(
                one["path"] != prefix for some in obstore.list(self._store, prefix, chunk_size=2) for one in some
            )

    def names(self, prefix: str) -> tuple[str, ...]:
        """The names of the objects that lie right below a prefix, sorted."""
        return tuple(sorted(_again(lambda: self._names(prefix), Reason.CUT)))

    def _names(self, prefix: str) -> Sequence[str]:
        import obstore

        with self._in_our_words(prefix, "listed"):
            found = obstore.list_with_delimiter(self._store, prefix or None)["objects"]
        return [PurePosixPath(one["path"]).name for one in found if one["path"] != prefix]

    def head(self, key: str) -> Item | None:
        """What there is to say of an object; None where there is none, or no such bucket."""
        import obstore

        try:
            with self._in_our_words(key, "read"):
                return _item(obstore.head(self._store, key))
        except Refused as refused:
            if refused.reason is Reason.NO_KEY:
                return None
            if refused.reason in (Reason.FORBIDDEN, Reason.OTHER):
                self.start(key, 1)  # whose answer says more of why than one without a body
            raise

    def get(self, key: str) -> bytes:
        """A small object as a whole."""
        import obstore

        with self._in_our_words(key, "read"):
            return bytes(obstore.get(self._store, key).bytes())

    def start(self, key: str, size: int) -> bytes:
        """The first bytes of an object that has some."""
        import obstore

        with self._in_our_words(key, "read"):
            return bytes(obstore.get_range(self._store, key, start=0, length=size))

    def get_to(self, key: str, path: Path) -> Item:
        """Copy an object to a file, in pieces; `Refused` where less of it comes than the server says."""
        return _again(lambda: self._get_to(key, path), Reason.SILENT)

    def _get_to(self, key: str, path: Path) -> Item:
        import obstore

        with path.open("wb") as out:
            with self._in_our_words(key, "read"):
                answer = obstore.get(self._store, key)
                item = _item(answer.meta)
            try:
                with self._in_our_words(key, "read"):
                    for piece in answer.stream(min_chunk_size=1 << 20):
                        out.write(piece)
            except Refused as refused:  # it has begun, and it is asked for the rest where it breaks off
                if refused.reason not in (Reason.SILENT, Reason.OTHER):
                    raise
            size = out.tell()
        if size != item.size:
            at = self.address.at(key)
            message = f"`{at}` was cut short: not all of its {item.size:,} bytes came"
            raise Refused(message, AGAIN, Reason.SILENT)
        return item

    def put(self, path: Path, key: str) -> None:
        """Copy a file to an object, in parts where it is large: it is there as a whole, or not at all."""
        import obstore

        with self._in_our_words(key, "written"):
            obstore.put(self._store, key, path, max_concurrency=_PARTS)

    def put_bytes(self, key: str, content: bytes) -> str | None:
        """Write a small object; its ETag."""
        return self._put(key, content, "overwrite")

    def put_if_absent(self, key: str, content: bytes) -> str | None:
        """Write a small object unless it is there; its ETag, or None where it is."""
        try:
            return self._put(key, content, "create")
        except Refused as refused:
            if refused.reason is Reason.CHANGED:
                return None
            raise

    def put_if_match(self, key: str, content: bytes, etag: str) -> str | None:
        """Write a small object anew if it is still that of the ETag; its new ETag, or None where it is not."""
        try:
            return self._put(key, content, {"e_tag": f'"{etag}"'})
        except Refused as refused:
            if refused.reason in (Reason.CHANGED, Reason.NO_KEY):
                return None
            raise

    def _put(self, key: str, content: bytes, mode: Any) -> str | None:
        import obstore

        with self._in_our_words(key, "written"):
            return _bare(obstore.put(self._store, key, content, mode=mode, use_multipart=False)["e_tag"])

    def copy(self, key: str, to: str) -> None:
        """Copy an object inside the bucket; what was there is replaced."""
        import obstore

        with self._in_our_words(to, "written"):
            obstore.copy(self._store, key, to)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        if some := tuple(keys):  # those that are gone already are no error when it is asked again
            _again(lambda: self._delete(some), Reason.CUT, Reason.SILENT)

    def _delete(self, keys: Sequence[str]) -> None:
        import obstore

        with self._in_our_words(keys[0], "removed"):
            obstore.delete(self._store, [*keys])

    def _in_our_words(self, key: str, done: str) -> AbstractContextManager[None]:
        return in_our_words(self.address.at(key), host=self.host, done=done)


class Object(NamedTuple):
    """An object of a bucket, as it was when it was found."""

    bucket: Bucket
    item: Item

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self.bucket.address.at(self.item.key))

    def means(self, error: BaseException) -> Refused | None:
        """What an error of Polars means that reads it; None where the content is to blame, and not the bucket."""
        refused = self.bucket.means(error, self.item.key)
        return None if refused.reason is Reason.OTHER else refused

    def is_kept(self) -> bool:
        """Whether it is still as it was found."""
        return self.item.is_like(self.bucket.head(self.item.key))


def open_bucket(address: Address) -> Bucket:
    """The bucket of an address, asked for nothing yet.

    Raises `Refused` where the extra is absent, and where settings or credentials cannot be right.
    """
    try:
        from obstore import store
    except ImportError:
        raise not_installed(str(address)) from None
    settings = of_s3(address.root) if address.scheme == "s3" else Settings()
    client = {
        "timeout": _WHOLE_DAY,
        "read_timeout": dt.timedelta(seconds=WITHIN),
        "connect_timeout": dt.timedelta(seconds=min(WITHIN, 10)),
    }
    pause = dt.timedelta(seconds=PAUSE)
    backoff = {"init_backoff": pause, "max_backoff": 2 * pause, "base": 2}
    patience = {"max_retries": TRIES - 1, "retry_timeout": dt.timedelta(seconds=WITHIN), "backoff": backoff}
    with in_our_words(address, host=address.scheme, done="opened"):
        if address.scheme == "s3":
            named = {k: v for k, v in settings.named.items() if k != "aws_allow_http"}
            allowed = {**client, "allow_http": "aws_allow_http" in settings.named}
            opened = store.S3Store(address.bucket, config=named, client_options=allowed, retry_config=patience)
        elif address.scheme == "az":
            opened = store.AzureStore(address.bucket, client_options=client, retry_config=patience)
        else:
            opened = store.GCSStore(address.bucket, client_options=client, retry_config=patience)
    return Bucket(address, opened, settings)


def _item(found: Any) -> Item:
    return Item(
        key=found["path"],
        size=found["size"],
        etag=_bare(found["e_tag"]),
        version=found["version"],
        modified=found["last_modified"],
    )


def _bare(etag: str | None) -> str | None:
    return etag.strip('"') if etag else None
