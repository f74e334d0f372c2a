"""All that a handler may ask of its doors from afar; what is not here it can do inline only."""

from __future__ import annotations

from functools import cache
from typing import Any

from mcp_server.security.apart.door_method import DoorMethod


@cache
def door_methods() -> dict[str, DoorMethod]:
    """Return them by their names.

    Made on first use, for few servers have handlers that run apart. What takes a function of the handler's (`walk` with
    `select`, `run` with `on_output`) takes none from afar, and `files.watch` and `files.plan` hand out objects that
    stay here.

    >>> door_methods()["files.read_text"].is_async
    True
    """
    of = DoorMethod.of
    count, text, seconds = int | None, str | None, float | None
    texts = list[str]
    http: dict[str, Any] = {"headers": dict[str, str] | None, "timeout_seconds": seconds}
    run: dict[str, Any] = {"arguments": texts, "stdin": bytes}
    methods = (
        of("files.roots", is_async=False, is_value=True),
        of("files.absolute", is_async=False, path=str),
        of("files.read", path=str, offset=int, max_bytes=count),
        of("files.read_bytes", path=str),
        of("files.read_text", path=str, encoding=str, head=count, tail=count),
        of("files.write_bytes", path=str, data=bytes, create_only=bool, if_match=text),
        of("files.write_text", path=str, text=str, encoding=str, create_only=bool, if_match=text),
        of("files.list", path=str, offset=int, max_entries=count),
        of("files.walk", path=str, max_entries=count, max_depth=count),
        of("files.stat", path=str),
        of("files.mkdir", path=str, parents=bool, exist_ok=bool),
        of("files.move", source=str, destination=str),
        of("files.delete", path=str, recursive=bool),
        of("code.run_python", code=str, files=texts, network=texts, timeout_seconds=seconds, **run),
        of("run", program=str, network=texts, timeout_seconds=seconds, **run),
        of("processes.start", program=str, **run),
        of("processes.read", process=str, stream=str, offset=int, max_bytes=int, wait_seconds=float),
        of("processes.write", process=str, text=str, close=bool),
        of("processes.stop", process=str, discard=bool),
        of("processes.states", is_async=False),
        of("root_action", action=str, arguments=dict[str, Any] | None),
        of("http.get", url=str, **http),
        of("http.post", url=str, body=bytes | None, json=Any, **http),
        of("http.request", method=str, url=str, body=bytes | None, json=Any, **http),
        of("log", is_async=False, level=str, data=Any),
        *(of(f"log.{level}", is_async=False, data=Any) for level in ("debug", "info", "warning", "error")),
        of("progress", is_async=False, progress=float, total=seconds, message=text),
        of("ask", message=str, fields=Any),
        of("ask_url", message=str, url=str),
        of(
            "sample",
            messages=str | list[dict[str, Any]],
            max_tokens=int,
            system_prompt=text,
            options=dict[str, Any],
        ),
        of("roots"),
        of("resolve_path", is_async=False, text=str),
        of("state.__getitem__", is_async=False, key=str),
        of("state.__setitem__", is_async=False, key=str, value=Any),
        of("state.__delitem__", is_async=False, key=str),
        of("state.__iter__", is_async=False),
    )
    return {method.name: method for method in methods}
