"""Finding the handler of a tool that was registered by its schema."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from mcp_server.errors.configuration_error import ConfigurationError


def creator_globals(created: object) -> dict[str, Any]:
    """Return the names of the file that creates the object, past the `__init__` of its classes and of this package's.

    Called from `__init__` itself.
    """
    frame = sys._getframe(1)
    own = f"{__name__.partition('.')[0]}."
    while frame.f_back is not None and frame.f_code.co_name == "__init__":
        is_own = str(frame.f_globals.get("__name__")).startswith(own)
        if not is_own and not any(value is created for value in frame.f_locals.values()):
            break
        frame = frame.f_back
    return frame.f_globals


def find_handler(module: Any, name: str, file_globals: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the method `handle_<name>` of a module's subclass, or else the function of that name in its file.

    Args:
        module: The module.
        name: The tool's name; `-` becomes `_`.
        file_globals: The names of the file that created the module.

    Raises:
        ConfigurationError: There is neither; the message is the line to write.

    >>> find_handler(object(), "count-words", {"handle_count_words": print}) is print
    True
    """
    function = f"handle_{name.replace('-', '_')}"
    found: Callable[..., Any] | None = getattr(module, function, None)
    if not callable(found):
        found = file_globals.get(function)
    if callable(found):
        return found
    place = PurePath(str(file_globals.get("__file__", file_globals.get("__name__", "the module")))).name
    raise ConfigurationError(
        f"tool {name!r} has no handler; write in {place}:\n"
        f"    async def {function}(client: ClientContext, params: dict) -> dict:"
    )
