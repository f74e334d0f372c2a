"""Arguments of a tool: refused in one way, or taken; and what was checked is what the handler gets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic_core import from_json

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.tool_manager import ToolManager

name = "arguments"

corpus = (
    b'{"path":"a.txt","lines":3}',
    b'{"path":"a.txt","lines":"3","mode":"head","extra":{"a":[1,2.5,null,true]}}',
    b'{"paths":["a.txt","b.txt"],"path":"c.txt"}',
    b'{"path":"a.txt","edits":[{"file":"x","text":"y"},{"file":"z","text":"w"}]}',
    b'{"path":null,"lines":true}',
    b'{"path":["a.txt"],"paths":"a.txt"}',
    b'{"path":"[\\"a.txt\\"]","paths":"[\\"a\\"]","edits":"[]"}',
    b'{"path":"a.txt","lines":99999999999999999999,"extra":{"deep":[[[[[[[[]]]]]]]]}}',
    b"{}",
)

MODULE = Module("fuzz")


@MODULE.tool
async def typed(
    path: Annotated[Path, Reads("**")],
    paths: Annotated[list[str] | None, Reads("**")] = None,
    lines: int = 5,
    mode: Literal["head", "tail"] = "head",
    extra: dict[str, Any] | None = None,
) -> None:
    """Take whatever fits."""


async def handle_written(client: Any, params: Any) -> None:
    """Take whatever fits."""


MODULE.register_tool(
    name="written",
    description="Take whatever fits.",
    input_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "paths": {"type": "array", "items": {"type": "string"}},
            "lines": {"type": "integer", "minimum": 0},
            "edits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"file": {"type": "string"}, "text": {"type": "string"}},
                    "required": ["file"],
                },
            },
            "extra": {"type": "object"},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
    handler=handle_written,
    permissions=[Permission(PermissionType.FILE_READ, argument=("path", "paths", "edits.file"))],
)

CATALOG = Catalog()
CATALOG.register(MODULE)
# Schemas and validators are built on first use; here before memory is measured.
CATALOG.check()
TOOLS = ToolManager(catalog=CATALOG)


class Context:
    """As much of a client as preparing arguments needs."""

    @staticmethod
    def resolve_path(text: str) -> str:
        """Return the text, marked, so that one sees that it came this way."""
        return f"/resolved/{text}"


CONTEXT: Any = Context()


def run(data: bytes) -> None:
    """Plan a call of each tool with the input as arguments, and prepare it as the handler would get it."""
    try:
        # What breaks off at the end counts as closed there, so that more inputs get as far as the tool.
        arguments = from_json(data, allow_partial=True)
    except ValueError:
        return
    if not isinstance(arguments, dict):
        # The protocol lets nothing else through.
        return
    for tool in ("typed", "written"):
        problems: tuple[str, ...] | None = None
        try:
            needs = TOOLS.plan(tool, arguments).needs
            positional, named = TOOLS.get(tool).contract.prepare(arguments, CONTEXT)
        except InvalidArgumentsError as error:
            problems = error.problems
        if problems is not None:
            assert problems
            continue
        params = named if tool == "typed" else positional[1]
        used = [arguments["path"], *(params.get("paths") or ()), *(each["file"] for each in params.get("edits", ()))]
        assert params["path"] == (Path(f"/resolved/{used[0]}") if tool == "typed" else used[0])
        assert sorted(need.text for need in needs) == sorted(used)
