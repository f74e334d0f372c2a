"""A module that uses what there is, wherever it runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.tool_error import ToolError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.content.image import Image
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.markers.writes import Writes
from mcp_server.tools.module import Module

everything = Module("everything")
started: list[int] = []

FILES = [
    Permission(PermissionType.FILE_READ, "**"),
    Permission(PermissionType.FILE_WRITE, "**"),
    Permission(PermissionType.FILE_DELETE, "**"),
    Permission(PermissionType.DIRECTORY_LIST, "**"),
]


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


@everything.on_start
async def start() -> None:
    started.append(os.getpid())


@everything.tool
async def facts(client: ClientContext) -> dict[str, Any]:
    """Tell what is known of the call."""
    return {
        "profile": client.profile,
        "cancelled": client.cancelled,
        "isolation": client.isolation,
        "max": client.max_result_bytes,
        "started": len(started),
    }


@everything.tool
def add(point: Point, more: Sequence[int] = ()) -> Point:
    """Move a point."""
    return Point(point.x + sum(more), point.y)


@everything.tool
async def picture() -> list[Any]:
    """Draw."""
    return ["a picture", Image(b"\x89PNG", "image/png")]


@everything.tool
async def fail(how: str) -> str:
    """Fail in one of the ways there are."""
    if how == "tool":
        raise ToolError("try something else")
    if how == "limit":
        raise LimitExceededError("pages", "too many pages; ask for fewer")
    raise ZeroDivisionError("a secret of the module")


@everything.tool(permissions=FILES)
async def files(client: ClientContext) -> dict[str, Any]:
    """Use every door of the files."""
    doors = client.files
    content = await doors.read("a.txt", offset=1, max_bytes=2)
    stat = await doors.stat("a.txt")
    walk = await doors.walk(".")
    first = [
        list(doors.roots),
        doors.absolute(Path("a.txt")),
        content.data.decode(),
        (await doors.read_bytes("a.txt")).decode(),
        await doors.read_text("a.txt", head=1),
        stat.size,
        [entry.name for entry in (await doors.list(".")).entries],
        sorted(entry.location.relative for entry in walk.entries),
        walk.entries[0].location.root.path,
    ]
    await doors.write_bytes("b.bin", b"\x00\xff")
    await doors.write_text("c.txt", "text \u00e9")
    second = [await doors.mkdir("d/e"), await doors.mkdir("d/e")]
    await doors.move("c.txt", "d/c.txt")
    await doors.delete("b.bin")
    return {"first": first, "second": second, "text": await doors.read_text("d/c.txt")}


@everything.tool
async def by_hand(source: Annotated[Path, Reads("**")], target: Annotated[Path, Writes("**")]) -> str:
    """Copy a file without any door."""
    target.write_bytes(source.read_bytes().upper())
    return str(Path.cwd())


@everything.tool(permissions=FILES)
def tree() -> list[str]:
    """Change a folder without any door."""
    found = sorted(str(path) for path in Path().rglob("*"))
    Path("a.txt").write_text("changed", encoding="utf-8")
    Path("new").mkdir()
    Path("new", "file.txt").write_text("new", encoding="utf-8")
    Path("notes", "n.md").unlink()
    return found


@everything.tool
async def state(client: ClientContext, key: str, value: Any = None) -> dict[str, Any]:
    """Keep something."""
    if value is not None:
        client.state[key] = value
    kept = {name: client.state[name] for name in client.state}
    missing = client.state.get("nothing", "absent")
    if "gone" in client.state:
        del client.state["gone"]
    return {"kept": kept, "missing": missing, "count": len(client.state)}


@everything.tool
async def talk(client: ClientContext) -> dict[str, Any]:
    """Talk to the human, and to the model."""
    answer = await client.ask("Which?", {"name": str, "size": ["S", "L"]})
    sampled = await client.sample("hello", max_tokens=10, temperature=0.5)
    roots = await client.roots()
    return {"name": answer["name"], "said": sampled["content"]["text"], "roots": [root["uri"] for root in roots]}


@everything.tool
async def ask_once(client: ClientContext) -> str:
    """Ask a human."""
    answer = await client.ask("Which?", {"name": str})
    return str(answer["name"])


@everything.tool
def report(client: ClientContext) -> str:
    """Tell how far it is."""
    for step in (1, 2):
        client.progress(step, 2, f"step {step}")
    client.log.info({"step": 2})
    client.log("warning", "nearly")
    return "done"


@everything.tool(permissions=[Permission(PermissionType.CODE_EXECUTION, "python")])
async def execute(client: ClientContext, code: str) -> str:
    """Run code in a further sandbox."""
    result = await client.code.run_python(code, stdin="given", timeout_seconds=10)
    return result.stdout.text().strip()


@everything.tool(permissions=[Permission(PermissionType.SYSTEM_COMMAND, "*")])
async def command(client: ClientContext) -> dict[str, Any]:
    """Run a program in a further sandbox."""
    result, effects = await client.run("echo", ["hello"])
    process = await client.processes.start("echo", ["long"])
    page = await client.processes.read(process.id, wait_seconds=5.0)
    states = len(client.processes.states())
    end = await client.processes.stop(process.id)
    return {
        "said": result.stdout.text(),
        "effects": len(effects),
        "page": page.text,
        "states": states,
        "end": end.stdout.text,
    }


@everything.prompt
async def poem(topic: str, client: ClientContext) -> list[str]:
    """Ask for a poem."""
    return [f"About {topic}.", client.profile]


@everything.resource("thing://{name}", permissions=[Permission(PermissionType.FILE_READ, "**")])
async def thing(name: str, client: ClientContext) -> str | None:
    """One thing."""
    if name == "none":
        return None
    return f"{name}: {await client.files.read_text('a.txt')}"


@everything.completion("poem", "topic")
async def topics(value: str) -> list[str]:
    return [each for each in ("sea", "sun", "moon") if each.startswith(value)]
