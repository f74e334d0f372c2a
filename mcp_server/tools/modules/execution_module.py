"""Code for models: Python programs and the operator's programs in sandboxes, behind the whole chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_server.resources.isolation.output_page import PAGE_BYTES
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.module import Module
from mcp_server.tools.modules.execution_report import REPORT_SCHEMA, report
from mcp_server.tools.modules.output_progress import OutputProgress
from mcp_server.tools.modules.process_report import (
    report_end,
    report_input,
    report_list,
    report_page,
    report_start,
)
from mcp_server.tools.modules.process_tools import process_tool_definitions
from mcp_server.tools.tool_annotations import ToolAnnotations

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.tool_result import ToolResult

NETWORK_SCHEMA: Final = {
    "type": "array",
    "items": {"type": "string"},
    "maxItems": 16,
    "description": (
        "Hosts and ports that it may connect to, such as 'api.example.org:443', over the proxy that HTTPS_PROXY names; "
        "without, there is no network."
    ),
}

CALL_SECONDS: Final = 3600.0
"""The call's own time limit, which never comes first: the sandbox has the operator's."""


class ExecutionModule(Module):
    """Tools that execute what a model wrote.

    Nothing of it runs in the server: each run has a sandbox of its own, which ends with it. The tools are offered only
    where a sandbox holds and the policy grants them.

    >>> module = ExecutionModule()
    >>> module.lower()
    >>> list(module.tools)
    ['run_python', 'run_command', 'start_process', 'read_output', 'write_input', 'stop_process', 'list_processes']
    """

    def __init__(self) -> None:
        super().__init__(
            "execution",
            description="Run Python programs and the operator's programs in sandboxes.",
            instructions=(
                "What runs has no network beyond what its call names in 'network', and copies of files at most. For "
                "what runs longer than a call there is start_process; stop_process every process that you started, for "
                "there are few places."
            ),
        )
        self.register_tool(
            name="run_python",
            title="Run Python",
            description=(
                "Run a Python program in a fresh sandbox and return what it printed and how it ended. It has the "
                "standard library, an empty directory of its own that is gone afterwards, no network beyond what "
                "'network' names, and can start no other program. Print what you want to know."
            ),
            input_schema={
                "type": "object",
                "properties": {
                    "code": {"type": "string", "description": "The text of the program."},
                    "stdin": {"type": "string", "description": "What it can read from standard input."},
                    "files": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": 100,
                        "description": "Files of the folder that it finds, as copies, in its working directory.",
                    },
                    "network": NETWORK_SCHEMA,
                    "timeout": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "description": "How long it may take, in seconds; the operator's limit holds as well.",
                    },
                },
                "required": ["code"],
            },
            output_schema=REPORT_SCHEMA,
            permissions=[
                Permission(PermissionType.CODE_EXECUTION, "python"),
                Permission(PermissionType.FILE_READ, argument="files", optional=True),
                Permission(PermissionType.NETWORK_CONNECT, argument="network", optional=True),
            ],
            # By what it might do where a host is named and granted.
            annotations=ToolAnnotations(read_only=False, destructive=True, idempotent=False, open_world=True),
            timeout_seconds=CALL_SECONDS,
        )

        self.register_tool(
            name="run_command",
            title="Run a program",
            description=(
                "Run one of the operator's programs in a fresh sandbox, without a shell, and without a network "
                "beyond what 'network' names, and return what it printed and how it ended. A call that is refused says "
                "which programs and arguments there are. Where a program works on files it gets copies; what came of "
                "them is listed in 'effects'."
            ),
            input_schema={
                "type": "object",
                "properties": {
                    "program": {"type": "string", "description": "Its name in the operator's list."},
                    "args": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Its arguments, one text each; nothing in them is expanded.",
                    },
                    "stdin": {"type": "string", "description": "What it can read from standard input."},
                    "network": NETWORK_SCHEMA,
                    "timeout": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "description": "How long it may take, in seconds; the operator's limit holds as well.",
                    },
                },
                "required": ["program"],
            },
            output_schema=REPORT_SCHEMA,
            permissions=[
                Permission(PermissionType.SYSTEM_COMMAND),
                Permission(PermissionType.FILE_READ, optional=True),
                Permission(PermissionType.FILE_WRITE, optional=True),
                Permission(PermissionType.FILE_DELETE, optional=True),
                Permission(PermissionType.NETWORK_CONNECT, argument="network", optional=True),
            ],
            # What both name together is checked at the door, as one command.
            plain=["program", "args"],
            annotations=ToolAnnotations(read_only=False, destructive=True, idempotent=False, open_world=True),
            timeout_seconds=CALL_SECONDS,
        )

        for definition in process_tool_definitions():
            self.register_tool(**definition)

    async def handle_start_process(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Start a program that outlives the call."""
        return report_start(
            await client.processes.start(params["program"], params.get("args", ()), stdin=params.get("stdin", ""))
        )

    async def handle_read_output(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Tell what a process wrote."""
        return report_page(
            await client.processes.read(
                params["process"],
                stream=params.get("stream", "stdout"),
                offset=params.get("offset", 0),
                max_bytes=params.get("max_bytes", PAGE_BYTES),
                wait_seconds=params.get("wait", 0.0),
            )
        )

    async def handle_write_input(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Give a process text to read."""
        text, close = params["text"], params.get("close", False)
        return report_input(text, await client.processes.write(params["process"], text, close=close), close=close)

    async def handle_stop_process(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """End a process and tell what became of it, and of the files."""
        return report_end(await client.processes.stop(params["process"], discard=params.get("discard", False)))

    async def handle_list_processes(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Tell which processes there are."""
        return report_list(client.processes.states())

    async def handle_run_command(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Run a program and tell how it went, and what it did to the files."""
        progress = OutputProgress(client)
        result, effects = await client.run(
            params["program"],
            params.get("args", ()),
            stdin=params.get("stdin", ""),
            network=params.get("network", ()),
            timeout_seconds=params.get("timeout"),
            on_output=progress.add,
        )
        return report(result, effects)

    async def handle_run_python(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Run a program and tell how it went."""
        progress = OutputProgress(client)
        result = await client.code.run_python(
            params["code"],
            stdin=params.get("stdin", ""),
            files=params.get("files", ()),
            network=params.get("network", ()),
            timeout_seconds=params.get("timeout"),
            on_output=progress.add,
        )
        return report(result)
