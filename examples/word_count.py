"""A module in the explicit form: the schema is written by hand, the handler is found by its name.

Serve it by itself:

    python examples/word_count.py ~/Notes

or beside the files, with the ready server:

    PYTHONPATH=examples mcp-server serve --folder ~/Notes --module word_count
"""

from __future__ import annotations

import sys
from typing import Any

from mcp_server import ClientContext, MCPServer, Module, Permission, PermissionType, ToolError

notes = Module("notes", description="Count words in notes.")

notes.register_tool(
    name="count_words",
    title="Count words",
    description="Count the words of a note, or how often one word stands in it.",
    input_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The note, a .txt or .md file."},
            "word": {"type": "string", "minLength": 1, "description": "Count only this word, whatever its case."},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
    output_schema={"type": "object", "properties": {"words": {"type": "integer"}}, "required": ["words"]},
    # Bound to the argument: a call may read the note that it names, if the policy grants it, and no other.
    permissions=[Permission(PermissionType.FILE_READ, "**", argument="path")],
    # It changes nothing, so no intent is recorded before it runs; the outcome is, as always.
    annotations={"readOnlyHint": True},
)


async def handle_count_words(client: ClientContext, params: dict[str, Any]) -> dict[str, int]:
    path = params["path"]
    if not path.endswith((".txt", ".md")):
        raise ToolError("a note is a .txt or .md file; choose one of these")
    words = (await client.files.read_text(path)).casefold().split()
    wanted = params.get("word")
    return {"words": len(words) if wanted is None else words.count(wanted.casefold())}


if __name__ == "__main__":
    server = MCPServer("word-count", folders=sys.argv[1:])
    server.register_module(notes)
    server.run()
