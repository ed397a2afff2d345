"""A server on loopback, with TLS if need be, which gives what a test has put there, and keeps what it was asked."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import trustme


class Answer(NamedTuple):
    """What the server answers: `breaks` ends the connection behind so many bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    has_length: bool = True
    breaks: int | None = None
    ranges: bool = False
    """Whether it gives the part that is asked for, as buckets do."""
    user: str | None = None
    """Who may read it, as `name:password`."""


class Web:
    """The server, and the requests that it had: path with query, and headers."""

    def __init__(self, scheme: str, port: int) -> None:
        self.root = f"{scheme}://localhost:{port}"
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def put(self, path: str, *answers: Answer | bytes) -> str:
        """The address of a path (with its query), which is answered so, one request after the other, the last for ever."""
        self.answers[path] = [one if isinstance(one, Answer) else Answer(one) for one in answers]
        return self.root + path

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """What is answered to a request."""
        self.asked.append((path, headers))
        answers = self.answers.get(path, [Answer(status=404)])
        one = answers.pop(0) if len(answers) > 1 else answers[0]
        if one.user and headers.get("Authorization") != f"Basic {base64.b64encode(one.user.encode()).decode()}":
            return Answer(status=401)
        return one


def part_of(answer: Answer, asked: str) -> Answer:
    """The part of a body from one byte to another, or of so many at its end."""
    first, _, last = asked.partition("-")
    size = len(answer.body)
    start, end = (int(first), min(int(last or size) + 1, size)) if first else (max(size - int(last), 0), size)
    headers = {**answer.headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return answer._replace(body=answer.body[start:end], status=206, headers=headers)


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        answer = self.web.answer(self.path, dict(self.headers))
        if answer.ranges and "Range" in self.headers:
            answer = part_of(answer, self.headers["Range"].removeprefix("bytes="))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.has_length:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.breaks])

    def log_message(self, *args: Any) -> None:
        """Nothing: tests look at `asked`."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *args: Any) -> None:
        """Nothing: whoever has asked may go before the answer."""


@contextmanager
def serving(folder: Path, scheme: str = "https") -> Iterator[tuple[Web, Path]]:
    """A server until the block ends, and the file of the certificates that trust it."""
    server = _Server(("localhost", 0), _Handler)
    trusted = folder / "trusted.pem"
    if scheme == "https":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(trusted))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    web = Web(scheme, server.server_port)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"web": web})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web, trusted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
