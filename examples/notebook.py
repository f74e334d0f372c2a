"""A module in the typed form: tools, a prompt, a resource and a question to the human.

Serve it by itself:

    python examples/notebook.py ~/Notes

or beside the files, with the ready server:

    PYTHONPATH=examples mcp-server serve --folder ~/Notes --module notebook
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from mcp_server import (
    ClientContext,
    Lists,
    MCPServer,
    Module,
    Permission,
    PermissionType,
    Reads,
    ResourceLink,
    ToolError,
    Writes,
)

notebook = Module("notebook", description="Outline and extend Markdown notes.")


@dataclass
class Outline:
    """What `outline` returns; it becomes the output schema."""

    title: str | None
    headings: list[str]


@notebook.tool(annotations={"readOnlyHint": True})
async def outline(note: Annotated[Path, Reads("**/*.md")], client: ClientContext) -> Outline:
    """Return the title and the headings of a note.

    Args:
        note: The note, a Markdown file.
    """
    lines = (await client.files.read_text(note)).splitlines()
    headings = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    return Outline(headings[0] if headings else None, headings[1:])


@notebook.tool
async def append(
    note: Annotated[Path, Reads("**/*.md"), Writes("**/*.md")], text: str, client: ClientContext
) -> list[object]:
    """Append a paragraph to a note that exists.

    Args:
        note: The note, a Markdown file.
        text: The paragraph.
    """
    content = await client.files.read(note)
    if content.truncated:
        raise ToolError("this note is too long to be extended; begin another")
    before = content.data.decode()
    if len(before) > 100_000:
        # Ask before you act: with the answer, the handler may run again from the top.
        answer = await client.ask("This note is long already. Append all the same?", {"append": bool})
        if not answer.accepted or not answer["append"]:
            raise ToolError("the human wants no more in this note; begin another")
    # Refused if somebody else has changed it since it was read.
    await client.files.write_text(note, f"{before.rstrip()}\n\n{text}\n", if_match=content.sha256)
    return [f"appended to {note.name}", ResourceLink(f"notebook://note/{note.name}", note.name)]


@notebook.tool(annotations={"readOnlyHint": True})
async def titles(folder: Annotated[Path, Lists()], client: ClientContext) -> dict[str, int]:
    """Return the sizes of the notes in a folder, in bytes."""
    entries = (await client.files.list(folder)).entries
    return {entry.display: entry.size for entry in entries if entry.name.endswith(".md")}


@notebook.resource(
    "notebook://note/{name}",
    mime_type="text/markdown",
    permissions=[Permission(PermissionType.FILE_READ, "*.md", argument="name")],
)
async def read_note(name: str, client: ClientContext) -> str:
    """Return a note at the top of the folder."""
    return await client.files.read_text(name)


@notebook.prompt
def weekly(week: str) -> str:
    """Look back on a week."""
    return f"Read my notes of week {week} with the tool outline, and write in ten lines what was done and what is left."


if __name__ == "__main__":
    server = MCPServer("notebook", folders=sys.argv[1:])
    server.register_module(notebook)
    server.run()
