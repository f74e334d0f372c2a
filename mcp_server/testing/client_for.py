"""A client in memory for one module."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from mcp_server.client.memory_client import MODERN, Answerer, MemoryClient
from mcp_server.core.constants import DEFAULT_CLIENT
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.testing.audit_view import AuditView
from mcp_server.testing.module_client import ModuleClient
from mcp_server.tools.module import Module


@asynccontextmanager
async def client_for(
    module: Module | ModuleType | str,
    *,
    folder: str | os.PathLike[str] | None = None,
    allow: Sequence[str] = (),
    ask: Sequence[str] = (),
    deny: Sequence[str] = (),
    limits: Mapping[str, int | float] | None = None,
    sandbox: Mapping[str, Any] | None = None,
    programs: Mapping[str, Mapping[str, Any]] | None = None,
    root_actions: Mapping[str, Mapping[str, Any]] | None = None,
    modules: Mapping[str, Mapping[str, Any]] | None = None,
    isolation: Literal["inline", "process"] = "inline",
    answer: Answerer | None = None,
    revision: str = MODERN,
) -> AsyncIterator[ModuleClient]:
    """Serve `module` to a client in memory, behind the whole chain, with an audit log in a directory of its own.

    Args:
        module: What to test: a `Module`, a Python module that holds one, or its dotted name.
        folder: The client's folder.
        allow: Rules such as `FILE_READ *.txt`.
        ask: Rules for which the client is asked.
        deny: Rules that refuse.
        limits: The client's limits, as in a policy file.
        sandbox: The policy's `[sandbox]`: a test that runs as root reserves accounts here.
        programs: The policy's `[program.NAME]`, by name.
        root_actions: The policy's `[sudo.action.NAME]`, by name, switched on where there is one.
        modules: The policy's `[module.NAME]`, by name.
        isolation: `process` runs every handler in a sandboxed process of its own, as the policy's key does.
        answer: Answers the server's questions: `await answer(method, params)` returns the protocol's result.
        revision: The protocol's revision the client speaks.

    Example::

        async with client_for(notes, folder=tmp_path, allow=["FILE_READ *.txt"]) as client:
            assert await client.call("count_words", path="a.txt") == {"words": 3}
            refusal = await client.denied("count_words", path="../secret.txt")
    """
    policy = PolicyLoader().parse(
        _policy_text(
            folder,
            {"allow": allow, "ask": ask, "deny": deny},
            limits or {},
            isolation,
            {
                "sandbox": sandbox or {},
                **{f"module.{name}": table for name, table in (modules or {}).items()},
                **{f"program.{name}": table for name, table in (programs or {}).items()},
            },
            root_actions or {},
        ),
        source="client_for",
    )
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as state:
        server = MCPServer("test", policy=policy, client=DEFAULT_CLIENT, state=Path(state) / "state")
        server.register_module(module)
        lifecycle = server.lifecycle()
        await lifecycle.open()
        records: list[AuditView] = []
        lifecycle.security.audit.subscribe(lambda record: records.append(AuditView(record)))
        client = MemoryClient(
            handler=lifecycle.protocol.handler, profile=DEFAULT_CLIENT, revision=revision, answer=answer
        )
        try:
            await client.start()
            yield ModuleClient(client=client, audit=records)
        finally:
            await client.close()
            await lifecycle.close("test ended")


def _policy_text(
    folder: str | os.PathLike[str] | None,
    rules: Mapping[str, Sequence[str]],
    limits: Mapping[str, Any],
    isolation: str,
    tables: Mapping[str, Mapping[str, Any]],
    root_actions: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the policy as a file would say it, so that tests and operators read the same language."""
    lines = ["version = 1", f"[client.{DEFAULT_CLIENT}]", f"isolation = {_quoted(isolation)}"]
    if folder is not None:
        lines.append(f"folders = [{_quoted(os.path.abspath(os.fspath(folder)))}]")
    lines += [f"{name} = [{', '.join(map(_quoted, texts))}]" for name, texts in rules.items()]
    if limits:
        lines.append(f"limits = {{ {', '.join(f'{name} = {value}' for name, value in limits.items())} }}")
    if root_actions:
        tables = {
            **tables,
            "sudo": {"enabled": True},
            **{f"sudo.action.{name}": each for name, each in root_actions.items()},
        }
    for heading, table in tables.items():
        if table:
            lines += [f"[{heading}]", *(f"{name} = {_written(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    """Return a value as TOML: numbers, texts, lists of them, and tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_written(member)}" for name, member in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    # A JSON string of printable text is a TOML basic string.
    import json

    return json.dumps(text, ensure_ascii=False)
