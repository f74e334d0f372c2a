"""Rules for names and numbers that every registration keeps."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.icon import Icon

# Clients put a prefix before a tool's name and cut at 64; dots and slashes are refused by some of them.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def check_name(what: str, name: object) -> str:
    """Return the name, if every client can carry it.

    Raises:
        ConfigurationError: It is not one to 64 letters, digits, `_` or `-`.

    >>> check_name("tool", "count_words")
    'count_words'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{what} {name!r}: a name is 1 to 64 letters, digits, '_' or '-'")
    return name


def check_timeout(what: str, timeout_seconds: float | None) -> float | None:
    """Return the time limit, if it is one.

    Raises:
        ConfigurationError: It is not a positive number.
    """
    if timeout_seconds is not None and not timeout_seconds > 0:
        raise ConfigurationError(f"{what}: timeout_seconds must be a number above zero")
    return timeout_seconds


def as_icons(icons: Iterable[Icon | Mapping[str, Any]]) -> tuple[Icon, ...]:
    """Return the icons as values; a mapping is read in the protocol's spelling.

    >>> as_icons([{"src": "data:,", "mimeType": "image/png"}])[0].mime_type
    'image/png'
    """
    return tuple(
        icon
        if isinstance(icon, Icon)
        else Icon(icon["src"], icon.get("mimeType"), tuple(icon.get("sizes", ())), icon.get("theme"))
        for icon in icons
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` for a name that is nearly a known one, else nothing.

    >>> did_you_mean("pth", ["path", "lines"])
    "; did you mean 'path'?"
    """
    from difflib import get_close_matches  # only a refused call needs it

    near = get_close_matches(name[:64], list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Whether calling the function gives a coroutine.

    >>> is_asynchronous(print)
    False
    """
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
