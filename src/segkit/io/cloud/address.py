"""The address of an object in a bucket, such as `s3://bucket/folder/file.csv`."""

from __future__ import annotations

import re
from typing import NamedTuple

from segkit.addresses import CLOUD, scheme_of, without_secrets
from segkit.io.cloud.refused import Reason, Refused

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
"""Servers of one's own let capitals and underscores into the names of buckets."""


class Address(NamedTuple):
    """A bucket, and an object in it, or the beginning of the keys of some."""

    scheme: str
    """`s3`, `az` or `gs`."""
    bucket: str
    key: str
    """As it is, without a slash before it: nothing in it is percent-encoded."""

    def __str__(self) -> str:
        return f"{self.root}/{self.key}"

    @property
    def root(self) -> str:
        """The bucket alone, as in `s3://bucket`."""
        return f"{self.scheme}://{self.bucket}"

    def at(self, key: str) -> Address:
        """Another object of the bucket."""
        return self._replace(key=key)


def parsed(text: str) -> Address:
    """The address that a text is; `Refused` where a name of a bucket or a key would be something else on the way."""
    rest = text.partition("://")[2]
    bucket, _, key = rest.partition("/")
    scheme = scheme_of(text)
    shown, hint = without_secrets(text), f"write it as `{scheme if scheme in CLOUD else 's3'}://BUCKET/KEY`"
    if "@" in bucket or ":" in bucket:
        where = "credentials come from the environment, or from `~/.aws/credentials`"
        raise Refused(f"`{shown}` holds more than the name of a bucket before its key", where, Reason.ADDRESS)
    if not _BUCKET.fullmatch(bucket):
        what = f": `{bucket}` cannot be the name of one" if bucket else ""
        raise Refused(f"`{shown}` names no bucket{what}", hint, Reason.ADDRESS)
    key = key.removesuffix("/")
    if any(part in ("", ".", "..") for part in key.split("/")) and key:
        message = f"`{shown}` is no address that can be asked for: a part between two slashes is empty, `.` or `..`"
        raise Refused(message, hint, Reason.ADDRESS)
    if any(ord(c) < 32 or ord(c) == 127 for c in key):
        raise Refused(f"`{shown}` holds a character that does not print", hint, Reason.ADDRESS)
    return Address(scheme, bucket, key)
