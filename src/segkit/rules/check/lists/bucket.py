"""What `[output]` says about a directory that is not on this machine: one in a bucket, or one that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.addresses import is_address, is_bucket, scheme_of, without_secrets
from segkit.rules.findings import Finding
from segkit.rules.model.file import Output, RuleFile

_AT = ("output", "directory")


def check_bucket(rules: RuleFile) -> Iterator[Finding]:
    """A finding for a directory that nothing is written to, and for keys that mean nothing in a bucket."""
    output = rules.output
    shown = without_secrets(output.directory)
    if not is_bucket(output.directory):
        if is_address(output.directory):
            message = f"`{shown}`: only local files are written, and objects of a bucket"
            yield Finding(_AT, message, "write to a local folder, or to a bucket, such as `s3://bucket/segments`")
        return
    if scheme_of(output.directory) == "gs":
        # It replaces an object on condition of its generation, and not of its ETag, by which the lock and the manifest
        # are replaced: no run would ever end well.
        message = f"`{shown}`: runs cannot be published to Google Cloud Storage"
        hint = "publish to `s3://`, or to a local folder with `keep`, and copy what is there with Google's own tool"
        yield Finding(_AT, message, hint)
    bucket, _, key = output.directory.partition("://")[2].partition("/")
    if shown != output.directory or not bucket or "//" in f"/{key.rstrip('/')}" or not key.strip("/"):
        message = f"`{shown}` names no place in a bucket"
        yield Finding(_AT, message, "write it as `s3://bucket/segments`: no user, and a prefix of its own")
    yield from _of_folders(output)


def _of_folders(output: Output) -> Iterator[Finding]:
    """Keys that go with a folder of this machine alone."""
    if output.mode is not None:
        message = "`mode` gives the permissions of files, and a bucket has its own"
        yield Finding(("output", "mode"), message, "take it out", code=codes.CONTRADICTION)
    if output.to is not None:
        message = "with `to` the lists go to a table, and to no bucket"
        hint = "name a local `directory`, which keeps what the run is known by"
        yield Finding(_AT, message, hint, code=codes.CONTRADICTION)
