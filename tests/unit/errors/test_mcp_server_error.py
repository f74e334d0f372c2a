from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from mcp_server import errors
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.mcp_server_error import MCPServerError


def all_errors() -> list[type[BaseException]]:
    found = []
    for module in pkgutil.iter_modules(errors.__path__):
        home = importlib.import_module(f"mcp_server.errors.{module.name}")
        found += [
            value
            for value in vars(home).values()
            if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == home.__name__
        ]
    return found


def test_the_message_is_kept_beside_what_str_says() -> None:
    error = MCPServerError("the policy is empty")
    assert error.message == str(error) == "the policy is empty"


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_the_one_root_but_the_signal(kind: type[BaseException]) -> None:
    if kind is InputRequiredSignal:
        assert not issubclass(kind, Exception)
    else:
        assert issubclass(kind, MCPServerError)


def test_the_tree_drawn_in_the_package_names_every_error() -> None:
    assert [kind.__name__ for kind in all_errors() if kind.__name__ not in str(errors.__doc__)] == []


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_the_drawing_shows_who_derives_from_whom(kind: type[BaseException]) -> None:
    lines = str(errors.__doc__).splitlines()

    def depth(name: str) -> int:
        (line,) = [each for each in lines if each.strip("├└─│ ").split(" ")[0] == name]
        return (len(line) - len(line.lstrip("├└─│ "))) // 4

    parents = [each for each in kind.__mro__ if issubclass(each, MCPServerError)]
    assert depth(kind.__name__) == max(0, len(parents) - 1)
