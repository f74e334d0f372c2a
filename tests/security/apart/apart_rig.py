"""A server whose handlers run apart, or inline to show what that prevents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from mcp_server.testing import ModuleClient
from mcp_server.testing.client_for import client_for
from tests.support.sandboxes import sandbox_table

GRANTED = ("FILE_READ *granted*", "DIRECTORY_LIST **")


class ApartRig:
    """One client with one folder.

    Args:
        directory: An empty directory that the accounts of sandboxes can walk to.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "folder"
        self.folder.mkdir()
        self.outside = directory / "outside.txt"
        self.outside.write_text("canary outside", encoding="utf-8")
        self.granted = self.folder / "granted.txt"
        self.granted.write_text("what was granted", encoding="utf-8")
        self.other = self.folder / "other.txt"
        self.other.write_text("canary inside", encoding="utf-8")
        for path in (self.outside, self.granted, self.other):
            path.chmod(0o666)
        self.folder.chmod(0o777)
        directory.chmod(0o777)

    def client(
        self,
        module: str = "tests.security.apart.hostile_handlers",
        *,
        isolation: Literal["inline", "process"] = "process",
        **options: Any,
    ) -> AbstractAsyncContextManager[ModuleClient]:
        """Serve a module."""
        settings: dict[str, Any] = {"folder": self.folder, "allow": GRANTED, "sandbox": sandbox_table(self.directory)}
        return client_for(module, isolation=isolation, **{**settings, **options})

    def run(self, act: Callable[[ModuleClient], Coroutine[Any, Any, Any]], *args: Any, **options: Any) -> Any:
        """Let one client act, and return what came of it."""

        async def work() -> Any:
            async with self.client(*args, **options) as client:
                return await act(client)

        return asyncio.run(work())

    def reached(self, tool: str, *, isolation: Literal["inline", "process"], **arguments: Any) -> Any:
        """Return what one call of a hostile handler reached, None where it failed."""

        async def act(client: ModuleClient) -> Any:
            result = await client.result(tool, **arguments)
            if result.get("isError"):
                return None
            return result.get("structuredContent", result["content"][0]["text"] if result["content"] else "")

        return self.run(act, isolation=isolation)
