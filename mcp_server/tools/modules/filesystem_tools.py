"""The tools of the filesystem module, as they are listed: names and arguments are those of the reference server.

Each description is read by a model with every request, so each says what the name does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_PATTERNS: Final[Mapping[str, Any]] = {"type": "array", "items": _TEXT, "maxItems": 100}
_READING: Final[Mapping[str, Any]] = {"readOnlyHint": True, "openWorldHint": False}

_LINES: Final[Mapping[str, Any]] = {
    "path": _TEXT,
    "head": {"type": "integer", "minimum": 0, "description": "Only the first so many lines"},
    "tail": {"type": "integer", "minimum": 0, "description": "Only the last so many lines"},
}


def _tool(
    name: str,
    title: str,
    description: str,
    properties: Mapping[str, Any],
    required: tuple[str, ...],
    permissions: tuple[Permission, ...],
    annotations: Mapping[str, Any] = _READING,
    plain: tuple[str, ...] = (),
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "input_schema": {"type": "object", "properties": dict(properties), "required": list(required)},
        "permissions": permissions,
        "annotations": annotations,
        "plain": plain,
    }


def _changing(*, destructive: bool, idempotent: bool) -> Mapping[str, Any]:
    return {
        "readOnlyHint": False,
        "destructiveHint": destructive,
        "idempotentHint": idempotent,
        "openWorldHint": False,
    }


def _reads(argument: str = "path") -> tuple[Permission, ...]:
    return (Permission(PermissionType.FILE_READ, argument=argument),)


def _lists(argument: str = "path") -> tuple[Permission, ...]:
    return (Permission(PermissionType.DIRECTORY_LIST, argument=argument),)


def _writes(*arguments: str) -> tuple[Permission, ...]:
    return (Permission(PermissionType.FILE_WRITE, argument=arguments),)


def tool_definitions() -> tuple[dict[str, Any], ...]:
    """Return the keyword arguments of `Module.register_tool` for every tool, in the order they are listed.

    >>> len(tool_definitions())
    14
    """
    edit = {
        "type": "object",
        "properties": {
            "oldText": {"type": "string", "description": "Lines to replace, copied exactly"},
            "newText": {"type": "string", "description": "What to put there"},
        },
        "required": ["oldText", "newText"],
        "additionalProperties": False,
    }
    return (
        _tool(
            "read_text_file",
            "Read text file",
            "Read a UTF-8 text file, or only its first or last lines. A long text is cut, with a link to the rest.",
            _LINES,
            ("path",),
            _reads(),
        ),
        _tool(
            "read_file",
            "Read file (deprecated)",
            "Deprecated: use read_text_file.",
            _LINES,
            ("path",),
            _reads(),
        ),
        _tool(
            "read_media_file",
            "Read media file",
            "Read an image, a piece of sound or any other file that is no text, as base64 with its MIME type.",
            {"path": _TEXT},
            ("path",),
            _reads(),
        ),
        _tool(
            "read_multiple_files",
            "Read multiple files",
            "Read several text files at once. One that cannot be read is reported in its place.",
            {"paths": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 100}},
            ("paths",),
            # Not bound: then one missing or forbidden file would refuse the call. The door checks each of them.
            (Permission(PermissionType.FILE_READ),),
            plain=("paths",),
        ),
        _tool(
            "write_file",
            "Write file",
            "Create a text file or replace its whole content, without asking. To change a part use edit_file.",
            {"path": _TEXT, "content": _TEXT},
            ("path", "content"),
            _writes("path"),
            _changing(destructive=True, idempotent=True),
        ),
        _tool(
            "edit_file",
            "Edit file",
            "Replace runs of lines in a text file, all of them or none, and return the change as a diff.",
            {
                "path": _TEXT,
                "edits": {"type": "array", "items": edit, "minItems": 1, "maxItems": 1_000},
                "dryRun": {"type": "boolean", "default": False, "description": "Only show the diff, write nothing"},
            },
            ("path", "edits"),
            (*_reads(), *_writes("path")),
            _changing(destructive=True, idempotent=False),
        ),
        _tool(
            "create_directory",
            "Create directory",
            "Create a directory and those above it; fine if it exists.",
            {"path": _TEXT},
            ("path",),
            _writes("path"),
            _changing(destructive=False, idempotent=True),
        ),
        _tool(
            "list_directory",
            "List directory",
            "List a directory; each line starts with [FILE] or [DIR].",
            {"path": _TEXT},
            ("path",),
            _lists(),
        ),
        _tool(
            "list_directory_with_sizes",
            "List directory with sizes",
            "List a directory with the sizes of its files and their sum.",
            {"path": _TEXT, "sortBy": {"type": "string", "enum": ["name", "size"], "default": "name"}},
            ("path",),
            _lists(),
        ),
        _tool(
            "directory_tree",
            "Directory tree",
            "Return everything below a directory as JSON: name, type, and children for directories.",
            {"path": _TEXT, "excludePatterns": _PATTERNS},
            ("path",),
            _lists(),
        ),
        _tool(
            "move_file",
            "Move file",
            "Move or rename a file or directory; fails if the destination exists.",
            {"source": _TEXT, "destination": _TEXT},
            ("source", "destination"),
            _writes("source", "destination"),
            _changing(destructive=False, idempotent=False),
        ),
        _tool(
            "search_files",
            "Search files",
            "Find files and directories by name with a glob relative to path: *.txt there, **/*.txt at any depth.",
            {"path": _TEXT, "pattern": _TEXT, "excludePatterns": _PATTERNS},
            ("path", "pattern"),
            _lists(),
        ),
        _tool(
            "get_file_info",
            "Get file info",
            "Return size, times, kind and permission bits of a file or directory.",
            {"path": _TEXT},
            ("path",),
            _lists(),
        ),
        _tool(
            "list_allowed_directories",
            "List allowed directories",
            "List the folders this client may work in; relative paths start at the first.",
            {},
            (),
            (),
        ),
    )
