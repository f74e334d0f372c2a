"""A door, as a handler in another process sees it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mcp_server.security.apart.door_channel import DoorChannel
from mcp_server.security.apart.door_method import DoorMethod
from mcp_server.security.apart.door_methods import door_methods


class RemoteDoor:
    """Ask over the channel what the door of that class would be asked; it answers as that one does.

    Arguments are those of the class's own methods, so that a handler need not know where it runs.

    Args:
        channel: The way to the server.
        name: The door's name at the context, empty for the context itself.
        kind: The class of the door.
    """

    def __init__(self, *, channel: DoorChannel, name: str, kind: type) -> None:
        self._channel = channel
        self._name = name
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        path = f"{self._name}.{name}" if self._name else name
        method = door_methods().get(path)
        if method is None:
            raise AttributeError(
                f"'client.{path}' is not there for a handler that runs in a process of its own; "
                "use another door, or let the operator run the module inline"
            )
        if method.is_value:
            return self._channel.ask(path, b"{}")
        return partial(self._call, method, getattr(self._kind, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask a door that is called itself, such as `client.run("git", ["status"])`."""
        return self._call(door_methods()[self._name], self._kind.__call__, *args, **kwargs)

    def _call(self, method: DoorMethod, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        given: Mapping[str, Any] = inspect.signature(function).bind(None, *args, **kwargs).arguments
        data = method.written({name: value for name, value in given.items() if name != "self"})
        ask = self._channel.ask_async if method.is_async else self._channel.ask
        return ask(method.name, data)
