"""What a bucket does not do, in one line of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import NamedTuple, Protocol

TRIES = 3
"""How often a server is asked that does not answer."""
EXTRA = "bucket"
AGAIN = "see whether it answers elsewhere, and run this again"
KEYS = {
    "s3": "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE` with a profile of "
    "`~/.aws/credentials`; for a bucket that all may read, `AWS_SKIP_SIGNATURE=true`",
    "az": "set `AZURE_STORAGE_ACCOUNT_NAME`, and `AZURE_STORAGE_ACCOUNT_KEY` or another way in",
    "gs": "set `GOOGLE_APPLICATION_CREDENTIALS` to the file of a service account",
}
"""Scheme -> the next step where there are no credentials."""


class Reason(Enum):
    """Why, for whoever goes on in another way."""

    ADDRESS = "malformed address"
    EXTRA = "not installed"
    SETTINGS = "settings that do not fit"
    CREDENTIALS = "no credentials"
    KEY = "a key that cannot be asked for"
    NO_KEY = "no such key"
    NO_BUCKET = "no such bucket"
    FORBIDDEN = "not allowed"
    REGION = "wrong region"
    CHANGED = "changed meanwhile"
    SILENT = "no answer"
    CUT = "half an answer"
    OTHER = "anything else"


class Refused(Exception):
    """A bucket does not do what it is asked to: one line without secrets, and the next step.

    Whoever reads makes a DataError of it, whoever writes a WriteError; `from None`, since the library's words may hold
    what nobody may see.
    """

    def __init__(self, message: str, hint: str | None = None, reason: Reason = Reason.OTHER) -> None:
        super().__init__(message)
        self.message, self.hint, self.reason = message, hint, reason


class Named(Protocol):
    """What is asked for: its text is its address."""

    @property
    def scheme(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def root(self) -> str: ...


class _Meaning(NamedTuple):
    """What the library's words mean: `{at}` is the object or the bucket, `{bucket}` the bucket, `{host}` the server.

    `{key}` is a key that they name, where they name one.
    """

    found: str
    reason: Reason
    says: str
    hint: str


_MEANINGS = (
    # The first that is found counts.
    _Meaning(
        "invalid path|Could not parse path|InvalidPath",
        Reason.KEY,
        "the key `{bucket}/{key}` has an empty part between two slashes, `.` or `..`, which is not read",
        "move what is there to another key, or name a folder that does not hold it",
    ),
    _Meaning(
        "NoSuchBucket|ContainerNotFound|InvalidBucketName",
        Reason.NO_BUCKET,
        "there is no bucket `{bucket}` on `{host}`",
        "look at its name, and at `AWS_ENDPOINT_URL` and `AWS_REGION`",
    ),
    _Meaning(
        "ExpiredToken|TokenRefreshRequired",
        Reason.FORBIDDEN,
        "`{host}` does not take the credentials for `{bucket}`: their session has ended",
        "log in again",
    ),
    _Meaning(
        "RequestTimeTooSkewed",
        Reason.FORBIDDEN,
        "`{host}` does not take the credentials for `{bucket}`: the clock of this machine is wrong",
        "set the clock",
    ),
    _Meaning(
        "InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidSecurity|AuthFailure|AuthenticationFailed",
        Reason.FORBIDDEN,
        "`{host}` does not take the credentials for `{bucket}`",
        "look at the key, its secret and its session token, and at the profile that they are of",
    ),
    _Meaning(
        r"redirect without LOCATION|PermanentRedirect|AuthorizationHeaderMalformed|\b30\d\b",
        Reason.REGION,
        "`{bucket}` is in another region",
        "set `AWS_REGION` to that of the bucket",
    ),
    _Meaning(
        r"AccessDenied|\b40[13]\b",
        Reason.FORBIDDEN,
        "`{at}` may not be {done} with these credentials",
        "look at what the credentials may do, and at the policy of the bucket",
    ),
    _Meaning(r"\b(?:409|412)\b", Reason.CHANGED, "`{at}` has changed meanwhile", "run this again"),
    _Meaning(r"\b404\b", Reason.NO_KEY, "there is no `{at}`", "look at its name"),
    _Meaning(
        r"\b(?:429|5\d\d)\b",
        Reason.SILENT,
        f"`{{host}}` does not give `{{at}}`: it is busy, or broken, asked {TRIES} times",
        AGAIN,
    ),
    _Meaning(
        "certificate|UnknownIssuer",
        Reason.SILENT,
        "`{host}` cannot be trusted: its certificate is not of those that this machine trusts",
        "name the file of those that you trust in the environment variable `SSL_CERT_FILE`",
    ),
    _Meaning(
        "dns error|failed to lookup",
        Reason.SILENT,
        f"no server `{{host}}` is known here, asked {TRIES} times",
        "look at the address of the server, and at the network",
    ),
    _Meaning(
        "list response|DeleteObjects response",
        Reason.CUT,
        f"the answer of `{{host}}` for `{{at}}` was cut short, asked {TRIES} times",
        AGAIN,
    ),
    _Meaning(
        "HTTP error|error sending request|error decoding|timed out|TimedOut",
        Reason.SILENT,
        f"`{{host}}` does not answer, asked {TRIES} times",
        AGAIN,
    ),
)
_ASKED = re.compile(r"performing [A-Z]+ (\S+)")
"""The address that the library has asked: where it is not of the bucket, it was asked for credentials."""
_OF_CREDENTIALS = re.compile(r"[Cc]redential|[Aa]ccount must be specified|token file")
_KEY = re.compile(r'Path "((?:[^"\\]|\\.)*)"')
"""A key that cannot be, as the library quotes it."""
_PLACE = re.compile(r"\w+://\S+|path: \S+")
"""Where something is, in words of the library."""


def meaning(error: BaseException, *, at: Named, host: str, done: str = "read") -> Refused:
    """What an error of obstore or of Polars means, in our own words; `done` is what was to be done."""
    text = str(error)
    asked, bucket = _ASKED.findall(text), at.root.rpartition("/")[2]
    if (asked and not any(bucket in one for one in asked)) or _OF_CREDENTIALS.search(_words(text, at.key)):
        return Refused(f"no credentials are found for `{at.root}`", KEYS[at.scheme], Reason.CREDENTIALS)
    said = _said(text, at.key)
    for one in _MEANINGS:
        if re.search(one.found, said):
            told = _KEY.search(text)
            words = {"at": at, "bucket": at.root, "host": host, "done": done, "key": told[1] if told else at.key}
            return Refused(one.says.format(**words), one.hint, one.reason)
    return Refused(f"`{host}` does not do what is asked of `{at}`", "try it with the cloud's own tool")


def _said(text: str, key: str) -> str:
    """What a server has answered, or why it has not."""
    code, status = re.search(r"<Code>(\w+)</Code>", text), re.search(r"status code: (\d+)", text)
    if code or status:
        return " ".join(found[1] for found in (code, status) if found)
    return _words(text, key)


def _words(text: str, key: str) -> str:
    """The library's own words: no names of people's files and buckets, nor what a server has written."""
    return _PLACE.sub("", text.partition("<?xml")[0].replace(key, "") if key else text.partition("<?xml")[0])


def is_panic(error: BaseException) -> bool:
    """Whether Rust has panicked, which is no `Exception` in Python."""
    return type(error).__name__ == "PanicException"


@contextmanager
def in_our_words(at: Named, *, host: str, done: str) -> Iterator[None]:
    """Whatever the library raises inside the block becomes `Refused`."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseException as error:
        if not isinstance(error, (BaseError, OSError, ValueError)) and not is_panic(error):
            raise
        if isinstance(error, OSError) and error.errno is not None:  # of a file here, not of a bucket
            raise
        raise meaning(error, at=at, host=host, done=done) from None


def not_installed(what: str) -> Refused:
    """The extra that connects to buckets is absent."""
    hint = f'install it: `pip install "segkit-cli[{EXTRA}]"`'
    return Refused(f"`{what}` is in a bucket, which an extra of segkit reads", hint, Reason.EXTRA)
