"""The demonstration: a real client, a real folder, every guard shown at work."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp_server.cli.demo_step import DemoStep
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.security.audit.audit_verifier import AuditVerifier

if TYPE_CHECKING:
    from mcp import Client

CLIENT: Final = "assistant"
SECRET: Final = "swordfish-4711"
"""Stands in every file the client must not read: the demonstration fails if it ever comes back."""

POLICY: Final = """\
version = 1

[client.assistant]
folders = ["Desk"]
allow = [
    "DIRECTORY_LIST **",
    "FILE_READ **/*.md",
    "FILE_WRITE drafts/**",
    "CODE_EXECUTION python",
]
ask = ["FILE_WRITE published/**"]
deny = ["FILE_READ private/**"]

[sandbox]
accounts = [210000, 210063]   # whom code runs as where the server runs as root
"""

FILES: Final = {
    "Desk/notes/plan.md": "# Plan\n\n1. Let a model read my notes.\n2. Sleep well all the same.\n",
    "Desk/private/salary.md": f"{SECRET}\n",
    "Desk/.ssh/id_ed25519.md": f"{SECRET}\n",
    "Desk/drafts/.keep": "",
    "Desk/published/.keep": "",
    "outside.md": f"{SECRET}\n",
}


class Demonstration:
    """Serve a folder over stdio to the official MCP client and hold every step against its promise.

    Everything happens in a temporary directory that is removed at the end.

    Args:
        output: Where the steps are told.
    """

    def __init__(self, *, output: Output) -> None:
        self._output = output
        self._steps: list[DemoStep] = []
        self._human_says_yes = False
        self._questions: list[str] = []

    def run(self) -> ExitCode:
        """Run all steps; done when every promise was kept, impossible where the official client is not installed."""
        try:
            import mcp
        except ImportError:
            self._output.error("the demonstration needs the official client: install the extra [client]")
            return ExitCode.IMPOSSIBLE
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="mcp-server-demo-") as directory:
            place = Path(directory)
            self._prepare(place)
            self._output.line("A desk with notes, drafts and private files; an assistant that may read the notes,")
            self._output.line("write drafts, and must ask before it publishes. This is its whole policy:\n")
            self._output.line("\n".join(f"    {line}" for line in POLICY.strip().splitlines()) + "\n")
            asyncio.run(self._converse(mcp, place))
            self._audit(place / "state" / "audit" / CLIENT)
        return self._conclude(time.perf_counter() - started)

    def _prepare(self, place: Path) -> None:
        for name, text in FILES.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (place / "Desk" / "notes" / "shortcut.md").symlink_to(place / "outside.md")
        policy = place / "desk.toml"
        policy.write_text(POLICY)
        policy.chmod(0o600)

    async def _converse(self, mcp: Any, place: Path) -> None:
        server = mcp.StdioServerParameters(
            command=sys.executable,
            args=["-m", "mcp_server", "serve", "--policy", "desk.toml", "--client", CLIENT, "--state", "state"],
            cwd=str(place),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._heading("The official client connects over stdio")
        async with mcp.Client(server, elicitation_callback=self._human) as client:
            tools = (await client.list_tools()).tools
            self._note(
                f"connects and lists tools, protocol {client.protocol_version}",
                "allowed",
                f"{len(tools)} tools, none that deletes",
                len(tools) > 5 and not any("delete" in tool.name for tool in tools),
            )
            self._heading("Reading")
            await self._allowed(client, "reads notes/plan.md", "read_text_file", {"path": "notes/plan.md"}, "# Plan")
            await self._refused(client, "reads private/salary.md", "read_text_file", {"path": "private/salary.md"})
            await self._refused(client, "reads ../outside.md", "read_text_file", {"path": "../outside.md"})
            await self._refused(client, "reads a link that leads out", "read_text_file", {"path": "notes/shortcut.md"})
            await self._refused(client, "reads .ssh/id_ed25519.md", "read_text_file", {"path": ".ssh/id_ed25519.md"})
            self._heading("Code runs in a sandbox")
            if any(tool.name == "run_python" for tool in tools):
                await self._run_code(client, place)
            else:
                # No bubblewrap, or a container that forbids namespaces: `serve` has told why, on standard error.
                await self._refused(client, "runs Python where no sandbox holds", "run_python", {"code": "print(1)"})
            self._heading("Writing")
            draft = {"path": "drafts/summary.md", "content": "Slept well.\n"}
            await self._allowed(client, "writes drafts/summary.md", "write_file", draft, "")
            self._on_disk(place / "Desk" / "drafts" / "summary.md", draft["content"])
            await self._refused(
                client, "writes notes/plan.md", "write_file", {"path": "notes/plan.md", "content": "hacked"}
            )
            self._heading("Publishing needs a human")
            post = {"path": "published/post.md", "content": "Hello, world.\n"}
            await self._refused(client, "publishes, the human says no", "write_file", post)
            self._human_says_yes = True
            await self._allowed(client, "publishes, the human says yes", "write_file", post, "")
            self._note(
                "the human saw the whole call",
                "asked",
                f"{len(self._questions)} questions, each with path and content",
                len(self._questions) == 2
                and all("published/post.md" in each and "Hello, world." in each for each in self._questions),
            )
            self._on_disk(place / "Desk" / "published" / "post.md", post["content"])

    async def _run_code(self, client: Client, place: Path) -> None:
        """Let a program try what must not work; it tells by itself what it reached."""
        await self._allowed(client, "adds up in Python", "run_python", {"code": "print(sum(range(101)))"}, "5050")
        attempts = {
            "its program reads the desk": f"print(open({str(place / 'Desk' / 'private' / 'salary.md')!r}).read())",
            "its program looks for other homes": "import os; print(os.listdir('/home') + os.listdir('/root'))",
            "its program starts another": "import subprocess; print(subprocess.run(['id']).returncode)",
            "its program opens a connection": "import socket; print(socket.create_connection(('127.0.0.1', 22)))",
        }
        for action, code in attempts.items():
            result = await client.call_tool("run_python", {"code": code})
            last = result.structured_content["stderr"].strip().splitlines()[-1:] or ["no error"]
            is_stopped = result.structured_content["exit_code"] == 1 and SECRET not in str(result.structured_content)
            self._note(action, "refused", last[0].replace(str(place), "..."), is_stopped)

    def _audit(self, log: Path) -> None:
        self._heading("Evidence")
        verdict = AuditVerifier().verify(log, deep=True)
        self._note("verifies the audit log", "allowed", f"intact, {verdict.records} records", verdict.is_intact)
        segment = min(log.glob("*.jsonl"))
        original = segment.read_bytes()
        # The very record an intruder would change: the refused read of the private file.
        at = original.index(b"private/salary.md")
        segment.chmod(0o600)
        segment.write_bytes(original[:at] + b"P" + original[at + 1 :])
        verdict = AuditVerifier().verify(log)
        self._note(
            "changes one byte of it, verifies again",
            "found",
            f"{verdict.state.value} at record {verdict.seq}",
            not verdict.is_intact,
        )
        segment.write_bytes(original)
        verdict = AuditVerifier().verify(log)
        self._note("puts the byte back", "allowed", f"{verdict.state.value} again", verdict.is_intact)

    async def _human(self, context: Any, params: Any) -> Any:
        from mcp import types

        self._questions.append(params.message)
        if self._human_says_yes:
            return types.ElicitResult(action="accept", content={"allow": True})
        return types.ElicitResult(action="decline")

    async def _allowed(self, client: Client, action: str, tool: str, arguments: dict[str, Any], begins: str) -> None:
        text, is_error = await self._call(client.call_tool, tool, arguments)
        self._note(action, "allowed", text, not is_error and text.startswith(begins))

    async def _refused(self, client: Client, action: str, tool: str, arguments: dict[str, Any]) -> None:
        text, is_error = await self._call(client.call_tool, tool, arguments)
        self._note(action, "refused", text, is_error and SECRET not in text)

    @staticmethod
    async def _call(call: Callable[..., Awaitable[Any]], tool: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        from mcp import MCPError

        try:
            result = await call(tool, arguments)
        except MCPError as error:
            return error.message, True
        return "\n".join(getattr(block, "text", "") for block in result.content), bool(result.is_error)

    def _on_disk(self, path: Path, content: str) -> None:
        found = path.read_text() if path.is_file() else None
        self._note(f"{path.parent.name}/{path.name} on the disk", "found", "the same bytes", found == content)

    def _heading(self, text: str) -> None:
        self._output.line(f"\n{text}")

    def _note(self, action: str, promise: str, seen: str, is_kept: bool) -> None:
        self._steps.append(DemoStep(action, promise, seen, is_kept))
        self._output.step(action=action, promise=promise, seen=seen, is_good=is_kept)

    def _conclude(self, seconds: float) -> ExitCode:
        kept = sum(step.is_kept for step in self._steps)
        if self._output.as_json:
            self._output.data(
                {
                    "kept": kept,
                    "steps": [
                        {"action": each.action, "promise": each.promise, "seen": each.seen, "kept": each.is_kept}
                        for each in self._steps
                    ],
                }
            )
        self._output.line(f"\n{kept} of {len(self._steps)} promises kept, in {seconds:.1f} s.")
        return ExitCode.DONE if kept == len(self._steps) else ExitCode.NO
