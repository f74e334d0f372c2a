"""A check that cannot be made has failed: whatever breaks in whichever layer, the handler does not run."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.call_gate import CallGate
from mcp_server.security.call_watch import CallWatch
from mcp_server.security.client_context import ClientContext
from mcp_server.security.client_manager import ClientManager
from mcp_server.security.client_view import ClientView
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.tool import Tool
from tests.security.chain.house import House

Make = Callable[[Module, str], House]
POLICY = '[client.local]\nfolders = ["folder"]\nallow = ["FILE_READ *.txt"]\nask = ["FILE_READ *.ask"]\n'
CANARY = "CANARY-55aa"

LAYERS: dict[str, tuple[type, str]] = {
    "authentication": (AuthenticationManager, "authenticate"),
    "the client's record": (ClientManager, "record"),
    "planning": (Tool, "needs"),
    "digesting the arguments": (AuditLogger, "digest_arguments_json"),
    "the deadline": (CallWatch, "add"),
    "visibility": (ClientView, "may_use"),
    "limits": (ClientManager, "enter"),
    "naming the file": (FileSystemManager, "locate"),
    "the gate": (CallGate, "require_all"),
    "the decision": (PermissionManager, "decide_use"),
    "opening the file": (FileSystemManager, "pin"),
    "consent": (ConsentManager, "ask"),
    "the words of the question": (ConsentManager, "text"),
}


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, MemoryError, KeyError, TimeoutError])
def test_a_layer_that_breaks_refuses_the_call(
    house: Make, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    ran: list[str] = []
    module = Module("probe")

    @module.tool
    async def read(path: Annotated[Path, Reads("**")], client: ClientContext) -> str:
        """Read."""
        ran.append(str(path))
        return await client.files.read_text(path)

    reached: list[str] = []

    def broken(*args: Any, **kwargs: Any) -> Any:
        reached.append(error.__name__)
        raise error(CANARY)

    async def attack() -> None:
        async with house(module, POLICY) as server:
            for name in ("note.txt", "maybe.ask"):
                (server.folder / name).write_text("text")
            wire = server.connect(elicitation={"form": {}})
            for layer, (owner, method) in LAYERS.items():
                path = "maybe.ask" if owner is ConsentManager else "note.txt"
                # What is worked out once for all calls under a policy is worked out anew.
                permissions = server.lifecycle.security.permissions
                permissions.replace(permissions.policy)
                with monkeypatch.context() as patch:
                    patch.setattr(owner, method, broken)
                    answer = await wire.call("read", path=path)
                assert reached, layer
                reached.clear()
                assert ran == [], layer
                assert "error" in answer or answer["result"].get("isError"), (layer, answer)
                assert CANARY.encode() not in b"".join(wire.raw), layer
                # The control, and the proof that the server lives.
                assert await wire.text("read", path="note.txt") == "text"
                assert ran.pop() == str(server.folder / "note.txt")
            assert CANARY.encode() not in server.audit_bytes()

    asyncio.run(attack())


def test_a_schema_that_points_elsewhere_is_refused_and_opens_no_socket() -> None:
    async def handler(client: Any, params: dict[str, Any]) -> str:
        return "ran"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        schema = {"type": "object", "properties": {"a": {"$ref": f"http://127.0.0.1:{port}/schema.json"}}}
        with pytest.raises(ConfigurationError, match="nothing is fetched"):
            Module("pointing").register_tool(
                name="pointing", description="Point.", input_schema=schema, handler=handler, plain=["a"]
            )
        with pytest.raises(BlockingIOError):
            listener.accept()
        # A visit of our own proves that the listener would have had one.
        with socket.create_connection(("127.0.0.1", port)):
            assert select.select([listener], [], [], 10)[0] == [listener]
