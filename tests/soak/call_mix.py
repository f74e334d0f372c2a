"""A hundred thousand requests of every kind, and what each must be answered."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "soak", "version": "1"},
}

# What a hundred requests are made of; everything else is an echo.
_TURNS: dict[int, str] = {
    **dict.fromkeys((1, 18, 35, 52, 69, 86), "add"),
    **dict.fromkeys((3, 13, 23, 33, 43, 53, 63, 73, 83, 93), "read"),
    **dict.fromkeys((5, 25, 45, 65, 85), "outside"),
    **dict.fromkeys((7, 57), "secret_file"),
    **dict.fromkeys((9, 39, 79), "unknown_tool"),
    **dict.fromkeys((11, 31, 51, 71), "bad_arguments"),
    **dict.fromkeys((15, 55), "fail"),
    **dict.fromkeys((17, 37, 77), "blocking"),
    **dict.fromkeys((21, 61), "cancelled"),
    **dict.fromkeys((24,), "cancelled_at_once"),
    **dict.fromkeys((27, 67), "steps"),
    **dict.fromkeys((29, 49, 89, 99), "ping"),
    **dict.fromkeys((41, 91), "resource"),
    **dict.fromkeys((47, 97), "prompt"),
    **dict.fromkeys((59,), "missing_resource"),
    **dict.fromkeys((75,), "bad_json"),
    **dict.fromkeys((95,), "batch"),
}
_PAGES_EVERY = 250
"""A page is long, so it is asked for less often than its share of the kinds would be."""

TOOL_OF = {
    "add": "add",
    "bad_arguments": "add",
    "blocking": "blocking",
    "cancelled": "wait",
    "cancelled_at_once": "wait_not",
    "echo": "echo",
    "fail": "fail",
    "outside": "read_file",
    "read": "read_file",
    "secret_file": "read_file",
    "steps": "steps",
    "unknown_tool": "no_such_tool",
}


class CallMix:
    """Write the request of each number, and judge its answer. The eras alternate on the same pipe."""

    def __init__(self) -> None:
        self.cursor = ""
        """The cursor of the second page of `prompts/list`; set before the first request that needs it."""
        self.sent: Counter[str] = Counter()
        self.progress: Counter[str] = Counter()
        self.nameless: Counter[int] = Counter()

    def kind_of(self, number: int) -> str:
        """Return what kind the request of a number is."""
        if number % _PAGES_EVERY == 2:
            return "page" if number % (2 * _PAGES_EVERY) == 2 else "bad_cursor"
        return _TURNS.get(number % 100, "echo")

    def request(self, number: int) -> bytes:
        """Return the line of a request."""
        kind = self.kind_of(number)
        self.sent[kind] += 1
        if kind == "bad_json":
            return b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo",,\n'
        if kind == "batch":
            return b'[{"jsonrpc":"2.0","id":"batched","method":"ping"}]\n'
        method, params = self._content(kind, number)
        line = self._line(number, method, params)
        return line + self.cancellation(number) if kind == "cancelled_at_once" else line

    def cancellation(self, number: int) -> bytes:
        """Return the line that takes a request back."""
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}}
        return json.dumps(message).encode() + b"\n"

    def _line(self, number: int, method: str, params: dict[str, Any]) -> bytes:
        if number // 2 % 2:
            params["_meta"] = {**params.get("_meta", {}), **MODERN_META}
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return json.dumps(message, separators=(",", ":")).encode() + b"\n"

    def _content(self, kind: str, number: int) -> tuple[str, dict[str, Any]]:
        match kind:
            case "ping":
                # A modern client has no ping; it asks what the server is instead.
                return ("server/discover" if number // 2 % 2 else "ping"), {}
            case "page":
                return "prompts/list", {"cursor": self.cursor}
            case "bad_cursor":
                return "prompts/list", {"cursor": "bm9uc2Vuc2U"}
            case "resource":
                return "resources/read", {"uri": f"soak://page/{number}"}
            case "missing_resource":
                return "resources/read", {"uri": f"nowhere://{number}"}
            case "prompt":
                return "prompts/get", {"name": f"p{number % 1000}", "arguments": {"topic": f"topic {number}"}}
        known: dict[str, dict[str, Any]] = {
            "add": {"a": number, "b": 1},
            "bad_arguments": {"a": "many", "b": None},
            "read": {"path": f"note{number % 7}.txt"},
            "outside": {"path": f"../../etc/passwd{number % 5}"},
            "secret_file": {"path": ".ssh/id_ed25519"},
            "echo": {"text": f"text {number}"},
            "blocking": {"text": f"text {number}"},
        }
        params: dict[str, Any] = {"name": TOOL_OF[kind], "arguments": known.get(kind, {})}
        if kind == "steps":
            params["_meta"] = {"progressToken": f"t{number}"}
        return "tools/call", params

    def problem(self, message: dict[str, Any]) -> str | None:
        """Return what is wrong with an answer, None when it is the one that its request must get."""
        number = message["id"]
        result, error = message.get("result"), message.get("error")
        match self.kind_of(number):
            case "unknown_tool" | "bad_cursor":
                is_right = error is not None and error["code"] == -32602
            case "missing_resource":
                is_right = error is not None and error["code"] in (-32602, -32002)
            case "echo":
                is_right = result is not None and result["content"][0]["text"] == f"text {number}"
            case "blocking":
                is_right = result is not None and result["content"][0]["text"] == f"TEXT {number}"
            case "add":
                is_right = result is not None and result["structuredContent"] == {"sum": number + 1}
            case "read":
                is_right = result is not None and result["content"][0]["text"] == f"note {number % 7}"
            case "outside" | "secret_file" | "bad_arguments":
                is_right = result is not None and result.get("isError") is True and "root:" not in str(result)
            case "fail":
                is_right = result is not None and result.get("isError") is True and "secret" not in str(result)
            case "steps":
                is_right = result is not None and self.progress.pop(f"t{number}", 0) == 3
            case "page":
                is_right = result is not None and len(result["prompts"]) == 100 and "nextCursor" not in result
            case "resource":
                is_right = result is not None and result["contents"][0]["text"] == f"page {number}"
            case "prompt":
                is_right = result is not None and f"topic {number}" in str(result["messages"])
            case "ping":
                is_right = result is not None
            case _:
                is_right = False
        return None if is_right else f"{self.kind_of(number)}: {str(message)[:300]}"
