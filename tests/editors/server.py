"""An editor that asks taplo's language server about a rule file: what is wrong, what comes next, what a key means."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

BRIDGE = Path(__file__).with_name("taplo.mjs")
PACKAGE = "@taplo/lsp"
MODULES = "SEGKIT_TEST_NODE_MODULES"
"""The environment variable with the folder in which `npm install @taplo/lsp` has put the package."""
DIAGNOSTICS = "textDocument/publishDiagnostics"
LOOKS = ("syntax", "tables", "schema")
"""What taplo looks at, one after the other, of a document that is TOML; after each, it tells all mistakes so far."""
PATIENCE = 60
"""Seconds after which a server that says nothing counts as dead."""


def missing() -> str | None:
    """Why there is no language server here; None where there is one."""
    folder = os.environ.get(MODULES)
    if shutil.which("node") is None:
        return "node is not installed"
    if folder is None:
        return f"{MODULES} does not name a folder with the npm package {PACKAGE}"
    if not (Path(folder) / "node_modules" / PACKAGE).is_dir():
        return f"{folder} has no node_modules/{PACKAGE}"
    return None


class Mistake(NamedTuple):
    """What the editor underlines: the text below the line, and what it says."""

    text: str
    message: str


class Editor:
    """One document after the other, each checked against one schema."""

    def __init__(self, schema: Path) -> None:
        self._process = subprocess.Popen(
            ["node", str(BRIDGE), os.environ[MODULES]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._schema, self._number, self._documents = schema, 0, 0
        self._messages: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        folder = {"uri": schema.parent.as_uri(), "name": "rules"}
        capabilities = {"workspace": {"configuration": True, "workspaceFolders": True}}
        params = {"processId": None, "rootUri": folder["uri"], "workspaceFolders": [folder]}
        self._asked("initialize", params | {"capabilities": capabilities})
        self._send("initialized", {})

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def mistakes(self, text: str) -> list[Mistake]:
        """What is underlined in a document."""
        uri = self._opened(text)
        for _ in LOOKS:
            message = self._next(lambda m: m.get("method") == DIAGNOSTICS and m["params"]["uri"] == uri)
        lines = self._with_schema(text).split("\n")
        found = []
        for one in message["params"]["diagnostics"]:
            start, end = one["range"]["start"], one["range"]["end"]
            last = end["character"] if start["line"] == end["line"] else None
            found.append(Mistake(lines[start["line"]][start["character"] : last], one["message"]))
        return found

    def completions(self, text: str) -> list[str]:
        """What is offered where `|` stands in the text."""
        found = self._at("textDocument/completion", text)
        items = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in items]

    def hover(self, text: str) -> str:
        """What is shown where `|` stands in the text."""
        found = self._at("textDocument/hover", text)
        return str(found["contents"]["value"]) if found else ""

    def _at(self, method: str, text: str) -> Any:
        before, _, after = self._with_schema(text).partition("|")
        uri = self._opened(before + after, with_schema=False)
        line, column = before.count("\n"), len(before.rpartition("\n")[2])
        return self._asked(method, {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}})

    def _with_schema(self, text: str) -> str:
        return f"#:schema {self._schema.as_uri()}\n{text}"

    def _opened(self, text: str, *, with_schema: bool = True) -> str:
        self._documents += 1
        uri = self._schema.with_name(f"rules-{self._documents}.toml").as_uri()
        full = self._with_schema(text) if with_schema else text
        document = {"uri": uri, "languageId": "toml", "version": 1, "text": full}
        self._send("textDocument/didOpen", {"textDocument": document})
        return uri

    def _asked(self, method: str, params: Any) -> Any:
        self._number += 1
        self._send(method, params, self._number)
        message = self._next(lambda m: m.get("id") == self._number and "method" not in m)
        assert "error" not in message, message
        return message.get("result")

    def _next(self, wanted: Callable[[Any], bool]) -> Any:
        """The next message that is wanted; what the server asks meanwhile is answered."""
        while True:
            message = self._messages.get(timeout=PATIENCE)
            if wanted(message):
                return message
            if "method" in message and "id" in message:
                self._reply(message)

    def _reply(self, message: Any) -> None:
        """Answer what the server asks of the editor: its settings, for one."""
        asked = message["params"].get("items", [])
        self._write({"jsonrpc": "2.0", "id": message["id"], "result": [self._settings() for _ in asked]})

    def _settings(self) -> Any:
        return {"schema": {"enabled": True, "links": False}}

    def _send(self, method: str, params: Any, number: int | None = None) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if number else {}))

    def _write(self, message: Any) -> None:
        assert self._process.stdin
        body = json.dumps(message).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        for message in _messages(self._process.stdout):
            self._messages.put(message)


def _messages(stream: Any) -> Iterator[Any]:
    while header := stream.readline():
        size = int(header.partition(b":")[2])
        stream.readline()
        yield json.loads(stream.read(size))
