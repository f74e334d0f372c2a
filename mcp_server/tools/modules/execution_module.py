"""Code for models: Python programs in a sandbox, behind the whole chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.module import Module
from mcp_server.tools.modules.execution_report import REPORT_SCHEMA, report
from mcp_server.tools.modules.output_progress import OutputProgress
from mcp_server.tools.tool_annotations import ToolAnnotations

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.tool_result import ToolResult

CALL_SECONDS: Final = 3600.0
"""The call's own time limit, which never comes first: the sandbox has the operator's."""


class ExecutionModule(Module):
    """Tools that execute what a model wrote.

    Nothing of it runs in the server: each call has a sandbox of its own, which ends with it. The tools are offered only
    where a sandbox holds and the policy grants them.

    >>> module = ExecutionModule()
    >>> module.lower()
    >>> list(module.tools)
    ['run_python', 'run_command']
    """

    def __init__(self) -> None:
        super().__init__(
            "execution",
            description="Run Python programs in a sandbox.",
            instructions="What runs has no network and none of the client's files, and nothing of it remains.",
        )
        self.register_tool(
            name="run_python",
            title="Run Python",
            description=(
                "Run a Python program in a fresh sandbox and return what it printed and how it ended. It has the "
                "standard library, an empty directory of its own that is gone afterwards, no network, and can start no "
                "other program. Print what you want to know."
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
            ],
            annotations=ToolAnnotations(read_only=False, destructive=False, idempotent=True, open_world=False),
            timeout_seconds=CALL_SECONDS,
        )

        self.register_tool(
            name="run_command",
            title="Run a program",
            description=(
                "Run one of the operator's programs in a fresh sandbox, without shell and network, and return "
                "what it printed and how it ended. A call that is refused says which programs and arguments there are. "
                "Where a program works on files it gets copies; what came of them is listed in 'effects'."
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
            ],
            # What both name together is checked at the door, as one command.
            plain=["program", "args"],
            annotations=ToolAnnotations(read_only=False, destructive=True, idempotent=False, open_world=False),
            timeout_seconds=CALL_SECONDS,
        )

    async def handle_run_command(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Run a program and tell how it went, and what it did to the files."""
        progress = OutputProgress(client)
        result, effects = await client.run(
            params["program"],
            params.get("args", ()),
            stdin=params.get("stdin", ""),
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
            timeout_seconds=params.get("timeout"),
            on_output=progress.add,
        )
        return report(result)
