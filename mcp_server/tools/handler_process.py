"""The program that runs one handler, in a sandbox of its own."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final, cast

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.apart.door_channel import DoorChannel
from mcp_server.security.apart.remote_context import RemoteContext
from mcp_server.security.client_context import ClientContext
from mcp_server.tools.apart.handler_place import MAIN
from mcp_server.tools.module import Module
from mcp_server.tools.unset import UNSET

MAIN_ALIAS: Final = "__mp_main__"
"""The name under which a program is imported again: what stands under `if __name__ == "__main__":` is not run.

Source: Python, multiprocessing, "Safe importing of main module"."""


class HandlerProcess:
    """Import a module again, run one of its handlers, and tell the server what it returned.

    Whatever happens here is contained: the barriers are in place before the first line of this is run.

    Args:
        channel: The way to the server.
    """

    def __init__(self, channel: DoorChannel) -> None:
        self._channel = channel

    def serve(self) -> None:
        """Take one question, and tell its answer."""
        question = self._channel.first()
        try:
            result = asyncio.run(self._result(question))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the server is told, and this process ends
            self._channel.fail(error)
        else:
            self._channel.finish(result)

    async def _result(self, question: Mapping[str, Any]) -> Any:
        module = self._module(question)
        await module.start()
        # Its doors are those of a context; only where they are differs.
        context = cast(
            "ClientContext", RemoteContext(channel=self._channel, kind=ClientContext, facts=question["facts"])
        )
        run: Callable[..., Awaitable[Any]] = getattr(self, f"_{question['kind']}")
        return await run(module, question["key"], context, **question["given"])

    def _module(self, question: Mapping[str, Any]) -> Module:
        """Return the module, made again by importing the file that makes it."""
        name, python_module = question["module"], question["python_module"]
        file = _main(question["file"]) if python_module == MAIN else importlib.import_module(python_module)
        for value in tuple(vars(file).values()):
            # A server has a module of its own, for what is registered with the server itself.
            found = value if isinstance(value, Module) else getattr(value, "own_module", None)
            if isinstance(found, Module) and found.name == name:
                found.lower()
                return found
        raise ConfigurationError(
            f"importing {python_module} makes no module {name!r}; keep it in a variable of that file, "
            "at the top, so that a process of its own finds it"
        )

    async def _tool(self, module: Module, key: str, context: ClientContext, *, arguments: dict[str, Any]) -> Any:
        result = await module.tools[key].run(arguments, context)
        told: dict[str, Any] = {"content": result.content, "is_error": result.is_error, "meta": result.meta}
        return told if result.structured is UNSET else {**told, "structured": result.structured}

    async def _prompt(self, module: Module, key: str, context: ClientContext, *, arguments: dict[str, Any]) -> Any:
        return list((await module.prompts[key].run(arguments, context)).messages)

    async def _resource(
        self, module: Module, key: str, context: ClientContext, *, uri: str, variables: dict[str, str]
    ) -> Any:
        return list(await module.resources[key].run(uri, variables, context))

    async def _subscription(
        self, module: Module, key: str, context: ClientContext, *, variables: dict[str, str]
    ) -> None:
        await module.resources[key].subscribed(variables, context)

    async def _completion(
        self, module: Module, key: list[str], context: ClientContext, *, value: str, arguments: dict[str, str]
    ) -> Any:
        found = await module.completions[key[0], key[1]].run(value, arguments, context)
        return {"values": list(found.values), "total": found.total, "has_more": found.has_more}


def _main(path: str) -> ModuleType:
    """Import a program under another name than its own, as multiprocessing does."""
    spec = importlib.util.spec_from_file_location(MAIN_ALIAS, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # What it defines belongs to `__main__` in the server, and is looked up there.
    sys.modules[MAIN_ALIAS] = sys.modules[MAIN] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Serve the process that made this one."""
    HandlerProcess(DoorChannel.take_over()).serve()
    # Threads of the handler's are not waited for: its answer is told.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
