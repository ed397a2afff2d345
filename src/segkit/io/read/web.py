"""What stands at an address of the web: fetched once a run, as a whole, into the workspace."""

from __future__ import annotations

import base64
import codecs
import http.client
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from segkit.addresses import WEB, is_here
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError
from segkit.io.read.label import Label, Origin
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace

TRIES, PAUSE, TIMEOUT = 3, 0.5, 30.0
"""How often a server is asked that does not answer, and the seconds before the second time, and for an answer."""
_WHOLE = (200, 203)
"""Answers that come with a file, as a whole."""
_PACKED = ("", "identity", "gzip", "x-gzip", "zstd")
"""How a server may pack a file for the way: it is unpacked as files are that are packed."""
_BUSY = (429, 500, 502, 503, 504)
"""Answers that may be another one a moment later."""
_ELSEWHERE = (301, 302, 303, 307, 308)
"""Answers that lead to another address."""
_AGAIN = "see whether it answers elsewhere, as with `curl`, and run this again"


class _Again(Exception):
    """Something went wrong that may go right a moment later; the error to end with, where it does not."""

    def __init__(self, error: DataError) -> None:
        super().__init__()
        self.error = error


class _Led(Exception):
    """A server leads to an address that is not followed."""

    def __init__(self, to: str) -> None:
        super().__init__()
        self.to = to


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to other addresses of the web, but from no encrypted one to one that is not."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The request for the new address, with nothing of what the first server was told to let us in."""
        new = urlsplit(newurl)
        if new.scheme not in WEB or (req.type == "https" and new.scheme == "http" and not _is_loopback(new)):
            raise _Led(newurl)
        return super().redirect_request(req, fp, code, msg, headers, _request(newurl).full_url)


def fetched(ws: Workspace, address: str) -> Origin:
    """The copy of what stands at an address; `DataError` where the server does not give it, or not all of it."""
    if address not in ws.fetched:
        path, label = ws.new_file(""), Label(address)
        with ws.filling():
            ws.fetched[address] = _with_patience(label, address, path)
    return ws.fetched[address]


def _with_patience(label: Label, address: str, path: Path) -> Origin:
    """What was fetched, if need be at the last of some tries."""
    for left in reversed(range(TRIES)):
        try:
            return _fetch(label, address, path)
        except _Again as failed:
            if not left:
                raise failed.error from failed.__cause__
            time.sleep(PAUSE * (TRIES - left))
    raise AssertionError("the last try ends in an error")


def _fetch(label: Label, address: str, path: Path) -> Origin:
    """One try: the body goes to the file."""
    try:
        opener = urllib.request.build_opener(_Redirects)
        with opener.open(_request(address), timeout=TIMEOUT) as answer, path.open("wb") as out:
            if answer.status not in _WHOLE:
                message = f"the server does not give all of `{label}` ({_spoken(answer.status)})"
                raise problem(
                    label, message, hint="look at the address, and at what stands between here and the server"
                )
            packed = answer.headers.get("Content-Encoding", "").strip().lower()
            if packed not in _PACKED:
                message = f"the server packs `{label}` in a way that is not read (`{packed}`)"
                raise problem(label, message, hint="download it, and give its path")
            shutil.copyfileobj(answer, out, 1 << 20)
            told = [] if _is_safe(urlsplit(address)) else [_unencrypted(label)]
            told += _whole(label, answer, out.tell())
            if answer.headers.get_content_type() == "text/html":
                message = f"the server says that `{label}` is a page of the web (`text/html`)"
                told.append(
                    _warning(label, message, "look at what is read: a page to log in with may come in its place")
                )
            return Origin(label, path, told=tuple(told), charset=answer.headers.get_content_charset())
    except _Led as led:
        raise _not_followed(label, led.to) from led
    except urllib.error.HTTPError as error:
        raise _refused(label, error) from error
    except (ValueError, http.client.InvalidURL) as error:
        raise problem(
            label, f"`{label}` is no address that can be asked for", hint="look at its host and port"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.filename == str(path):
            raise
        raise _unanswered(label, error) from error


def _request(address: str) -> urllib.request.Request:
    """The request for an address, in which blanks and letters beyond ASCII may stand as people write them."""
    parts = urlsplit(address)
    host = (parts.hostname or "").encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    path, query = (quote(text, safe="/%:@!$&'()*+,;=~?") for text in (parts.path or "/", parts.query))
    bare = parts._replace(netloc=netloc, path=path, query=query, fragment="").geturl()
    request = urllib.request.Request(bare, headers={"User-Agent": "segkit", "Accept-Encoding": "identity"})
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    return request


def doubted(origin: Origin, encoding: str | None) -> list[Diagnostic]:
    """A warning where a text was taken for cp1252, for want of anything better, and its server gives another encoding.

    Its `iso-8859-1` is none: servers say so of cp1252, too.
    """
    if encoding != "cp1252" or origin.charset is None:
        return []
    try:
        "".encode(origin.charset)
        name = codecs.lookup(origin.charset).name
    except (LookupError, ValueError):
        return []
    if name in ("cp1252", "iso8859-1", "ascii"):
        return []
    message = f"the server says that `{origin.label}` is {origin.charset}, and it is read as cp1252"
    return [
        _warning(origin.label, message, f'give `encoding = "{origin.charset}"`, or "cp1252" if the server is wrong')
    ]


def _whole(label: Label, answer: http.client.HTTPResponse, size: int) -> list[Diagnostic]:
    """Whether all of the body came, as far as the server says how long it is."""
    lengths = dict.fromkeys(answer.headers.get_all("Content-Length") or ())
    if len(lengths) > 1:
        message = f"the server gives several lengths of `{label}`, so nobody sees whether all of it came"
        raise problem(label, message, hint="look at what stands between here and the server")
    length = next(iter(lengths), None)
    if length is not None and length.isdigit():
        if size < int(length):
            raise _Again(
                problem(label, f"`{label}` was cut short: {size:,} of {int(length):,} bytes came", hint=_AGAIN)
            )
        return []
    if answer.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return []
    message = f"the server does not say how long `{label}` is, so nobody sees whether all of it came"
    return [_warning(label, message, "compare the number of rows with that of another day")]


def _not_followed(label: Label, to: str) -> DataError:
    """The error for an address that a server leads to."""
    hint = "give the address that it should be read from"
    return problem(label, f"`{label}` leads to `{Label(to)}`, which is not followed", hint=hint)


def _refused(label: Label, error: urllib.error.HTTPError) -> Exception:
    """What a server has answered instead of a file."""
    with error:
        answer, to = _spoken(error.code), error.headers.get("Location", "")
    if error.code in _ELSEWHERE and urlsplit(to).scheme not in ("", *WEB):  # which urllib does not even try
        return _not_followed(label, to)
    if error.code in (404, 410):
        return problem(label, f"there is nothing at `{label}` ({answer})", hint="look at the address")
    if error.code in (401, 403, 407):
        hint = (
            "put what lets you in into the address, from variables such as `${PASSWORD}`, and look whether they are set"
        )
        return problem(label, f"`{label}` may not be read ({answer})", hint=hint)
    if error.code in _BUSY:
        return _Again(
            problem(label, f"the server does not give `{label}` ({answer}), asked {TRIES} times", hint=_AGAIN)
        )
    return problem(label, f"the server does not give `{label}` ({answer})", hint="look at the address")


def _spoken(status: int) -> str:
    """The number of an answer, and its words."""
    return f"{status} {http.client.responses.get(status, '')}".strip()


def _unanswered(label: Label, error: BaseException) -> Exception:
    """What keeps a server from answering, or a body from coming whole."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    host = urlsplit(label.path).netloc
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = "name the file of those that you trust in the environment variable `SSL_CERT_FILE`"
        return problem(label, f"`{host}` cannot be trusted: {reason.verify_message}", hint=hint)
    if isinstance(reason, socket.gaierror):
        return _Again(
            problem(label, f"no server `{host}` is known here", hint="look at the address, and at the network")
        )
    if isinstance(reason, TimeoutError):
        message = f"`{host}` does not answer within {TIMEOUT:.0f} seconds, asked {TRIES} times"
        return _Again(problem(label, message, hint=_AGAIN))
    if isinstance(reason, http.client.IncompleteRead):
        return _Again(problem(label, f"`{label}` was cut short: the server ended it too early", hint=_AGAIN))
    what = getattr(reason, "strerror", None) or "the server breaks off"
    return _Again(problem(label, f"`{host}` does not answer: {what}, asked {TRIES} times", hint=_AGAIN))


def _is_safe(parts: SplitResult) -> bool:
    return parts.scheme == "https" or _is_loopback(parts)


def _is_loopback(parts: SplitResult) -> bool:
    return is_here(parts.hostname or "")


def _unencrypted(label: Label) -> Diagnostic:
    message = f"`{label}` comes unencrypted: whoever is on the way can read it, and change it"
    return _warning(label, message, "give it as `https://`")


def _warning(label: Label, message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, SourceLocation(str(label)), hint, Severity.WARNING)
