"""The tools for processes that outlive the call that starts them, as they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.output_page import (
    MAX_PAGE_BYTES,
    MAX_WAIT_SECONDS,
    MIN_PAGE_BYTES,
    PAGE_BYTES,
    STREAMS,
)
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.tool_annotations import ToolAnnotations

WAITING_SECONDS: Final = 90.0
"""The time limit of a call that may wait for output: its longest wait, and what surrounds it."""

CHANGING_SECONDS: Final = 3600.0
"""The time limit of a call that copies files, which have bounds of their own."""

_PROCESS: Final = {"type": "string", "maxLength": 64, "description": "The id that start_process returned."}
_COMMAND: Final = Permission(PermissionType.SYSTEM_COMMAND)
_FILES: Final = tuple(
    Permission(kind, optional=True)
    for kind in (PermissionType.FILE_READ, PermissionType.FILE_WRITE, PermissionType.FILE_DELETE)
)

_STATE: Final = {
    "running": {"type": "boolean", "description": "Whether it runs."},
    "reason": {
        "type": ["string", "null"],
        "enum": [None, *(each.value for each in EndReason)],
        "description": "What ended it.",
    },
    "exit_code": {"type": ["integer", "null"], "description": "Its exit code, when it ended by itself."},
    "signal": {"type": ["integer", "null"], "description": "The signal that ended it, when one did."},
}
_ENTRY: Final = {
    "process": {"type": "string", "description": "What the other tools take."},
    "program": {"type": "string"},
    "args": {"type": "array", "items": {"type": "string"}},
    **_STATE,
    "seconds": {"type": "number", "description": "How long it has run."},
    "stdout_bytes": {"type": "integer", "description": "How much it has written."},
    "stderr_bytes": {"type": "integer", "description": "How much it has complained."},
    "isolation": {"type": "string", "description": "How well it is contained."},
}
_PAGE: Final = {
    "text": {"type": "string", "description": "What it wrote."},
    "offset": {"type": "integer", "description": "Where the text begins, in bytes from the beginning."},
    "next_offset": {"type": "integer", "description": "Where the next page begins."},
    "seen_bytes": {"type": "integer", "description": "How much it has written in all."},
    "dropped_bytes": {"type": "integer", "description": "How much of what was asked for is not kept any more."},
    **_STATE,
}
_TAKEN: Final = {
    "taken_characters": {"type": "integer", "description": "How much of the text was taken; send the rest later."},
    "complete": {"type": "boolean", "description": "Whether all of it was taken."},
    "closed": {"type": "boolean", "description": "Whether its input is closed now."},
}
_END: Final = {
    **_ENTRY,
    "stdout": {"type": "string", "description": "The end of what it wrote."},
    "stderr": {"type": "string", "description": "The end of what it complained of."},
    "effects": {"type": "object", "description": "What became of the client's files, where it worked on them."},
}


def _object(properties: Mapping[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def process_tool_definitions() -> tuple[dict[str, Any], ...]:
    """Return the keyword arguments of `Module.register_tool` for every tool, in the order they are listed.

    >>> [each["name"] for each in process_tool_definitions()]
    ['start_process', 'read_output', 'write_input', 'stop_process', 'list_processes']
    """
    start = {
        "program": {"type": "string", "description": "Its name in the operator's list."},
        "args": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Its arguments, one text each; nothing in them is expanded.",
        },
        "stdin": {"type": "string", "description": "What it can read first; its input stays open for write_input."},
    }
    read = {
        "process": _PROCESS,
        "stream": {"type": "string", "enum": list(STREAMS), "description": "stdout unless said."},
        "offset": {"type": "integer", "minimum": 0, "description": "Where to begin: 0, or the last next_offset."},
        "max_bytes": {
            "type": "integer",
            "minimum": MIN_PAGE_BYTES,
            "maximum": MAX_PAGE_BYTES,
            "description": f"How much at most; {PAGE_BYTES} unless said.",
        },
        "wait": {
            "type": "number",
            "minimum": 0,
            "maximum": MAX_WAIT_SECONDS,
            "description": "How many seconds to wait where there is nothing yet.",
        },
    }
    write = {
        "process": _PROCESS,
        "text": {"type": "string", "description": "What it is to read; lines end with a line feed."},
        "close": {"type": "boolean", "description": "Whether nothing more will come."},
    }
    stop = {
        "process": _PROCESS,
        "discard": {"type": "boolean", "description": "Leave the files as they are."},
    }
    listed = {"processes": {"type": "array", "items": _object(_ENTRY)}}
    return (
        {
            "name": "start_process",
            "title": "Start a process",
            "description": (
                "Start one of the operator's programs in a sandbox and return at once, for what runs longer than a "
                "call: servers, builds, shells. Follow it with read_output, and end it with stop_process, also when it "
                "has ended by itself. It is lost when nobody uses it for ten minutes."
            ),
            "input_schema": _object(start, optional=("args", "stdin")),
            "output_schema": _object(_ENTRY),
            "permissions": [_COMMAND, *_FILES[:1]],
            "plain": ["program", "args"],
            "annotations": ToolAnnotations(read_only=False, destructive=False, idempotent=False, open_world=False),
            "timeout_seconds": CHANGING_SECONDS,
        },
        {
            "name": "read_output",
            "title": "Read a process's output",
            "description": (
                "Return what a process wrote from an offset on, and whether it runs. Pass next_offset to go on; with "
                "wait it returns as soon as there is something, or the process ends."
            ),
            "input_schema": _object(read, optional=("stream", "offset", "max_bytes", "wait")),
            "output_schema": _object(_PAGE),
            "permissions": [_COMMAND],
            "annotations": ToolAnnotations(read_only=True, open_world=False),
            "timeout_seconds": WAITING_SECONDS,
        },
        {
            "name": "write_input",
            "title": "Write to a process's input",
            "description": (
                "Give a process text to read, up to 64 KiB at once. Where it does not read, only a part is taken: send "
                "the rest again later. With close it reads the end of its input after that."
            ),
            "input_schema": _object(write, optional=("close",)),
            "output_schema": _object(_TAKEN),
            "permissions": [_COMMAND],
            "annotations": ToolAnnotations(read_only=False, destructive=False, idempotent=False, open_world=False),
        },
        {
            "name": "stop_process",
            "title": "Stop a process",
            "description": (
                "Kill a process, write back what it did to its copies of files, and forget it. What of the files was "
                "written, and what was refused, is listed in 'effects'. Read first what you still want to read."
            ),
            "input_schema": _object(stop, optional=("discard",)),
            "output_schema": _object(_END, optional=("effects",)),
            "permissions": [_COMMAND, *_FILES],
            "annotations": ToolAnnotations(read_only=False, destructive=True, idempotent=False, open_world=False),
            "timeout_seconds": CHANGING_SECONDS,
        },
        {
            "name": "list_processes",
            "title": "List processes",
            "description": "List the processes that you started and did not stop, with how they are.",
            "input_schema": _object({}),
            "output_schema": _object(listed),
            "permissions": [_COMMAND],
            "annotations": ToolAnnotations(read_only=True, open_world=False),
        },
    )
