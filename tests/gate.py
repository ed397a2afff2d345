"""A gate before a server of S3: it passes requests on, keeps what was asked, and does to some what a test says."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Gate:
    """What was asked, such as `PUT segments/manifest.json`, without the bucket; copies are `COPY`, lists `LIST`."""

    def __init__(self, server: str, port: int) -> None:
        self.server = urlsplit(server)
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[str] = []
        self.refuses: Callable[[str], int | None] = lambda _: None
        """The status that is answered in place of the server's; None lets the request in."""
        self.then: Callable[[str], object] = lambda _: None
        """Called when the server has answered, and its answer is still to be given."""
        self.headers: Callable[[str, dict[str, str]], Mapping[str, str]] = lambda _, headers: headers
        """The headers that are given for those of the server."""
        self.drops: tuple[str, ...] = ()
        """Headers of requests that do not reach the server, in small letters."""
        self.turn = threading.Lock()

    @property
    def written(self) -> list[str]:
        """What was written and removed, in this order, but the lock and what is beside it."""
        changes = ("PUT", "COPY", "DELETE")
        return [one for one in self.asked if one.startswith(changes) and not re.search(r"/lock(\.|$)", one)]


class _Handler(BaseHTTPRequestHandler):
    gate: Gate
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        gate, body = self.gate, self._body()
        path, _, query = self.path.partition("?")
        key = unquote(path.split("/", 2)[2]) if path.count("/") > 1 else ""
        asked = [f"{self.command} {key}"]
        if "x-amz-copy-source" in self.headers:
            asked = [f"COPY {key}"]
        elif "list-type" in query:
            asked = ["LIST"]
        elif self.command == "POST" and query.startswith("delete"):
            asked = [f"DELETE {one}" for one in re.findall("<Key>([^<]*)</Key>", body.decode())]
        with gate.turn:
            gate.asked += asked
        refused = next((status for one in asked if (status := gate.refuses(one))), None)
        if refused:
            self._give(refused, {}, b"")
            return
        connection = http.client.HTTPConnection(gate.server.netloc, timeout=60)
        connection.request(
            self.command,
            self.path,
            body,
            {name: value for name, value in self.headers.items() if name.lower() not in gate.drops},
        )
        found = connection.getresponse()
        content = found.read()
        headers = dict(found.headers)
        if self.command == "HEAD":
            self.close_connection = True
        connection.close()
        try:
            for one in asked:
                gate.then(one)
        except ConnectionResetError:  # the answer gets lost
            self.close_connection = True
            return
        self._give(found.status, gate.headers(asked[0], headers), content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _give(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        length = next((value for name, value in headers.items() if name.lower() == "content-length"), len(content))
        self.send_header("Content-Length", str(length if self.command == "HEAD" else len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing: tests look at `asked`."""


@contextmanager
def before(server: str) -> Iterator[Gate]:
    """A gate before this server, until the block ends."""
    handler = type("Handler", (_Handler,), {})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening.daemon_threads = True
    gate = Gate(server, listening.server_port)
    handler.gate = gate  # type: ignore[attr-defined]
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
