"""The public names: all there, all lazy, and importing the package costs next to nothing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mcp_server

HEAVY = ("pydantic", "cryptography", "jsonschema_rs", "asyncio", "rich", "mcp", "jwt", "ssl", "socket", "ctypes")


def modules_after(statement: str, checkout: Path) -> set[str]:
    """Return the names of all modules that a fresh interpreter holds after `statement`."""
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, check=True, timeout=60, text=True
    )
    return set(json.loads(done.stdout))


def test_the_face_names_what_the_architecture_promises() -> None:
    assert {
        "MCPServer",
        "Module",
        "Permission",
        "PermissionType",
        "ClientContext",
        "Reads",
        "Writes",
        "ToolError",
    } <= set(mcp_server.__all__)


@pytest.mark.parametrize("name", sorted(mcp_server.__all__))
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(mcp_server, name) is not None


@pytest.mark.parametrize("name", sorted(name for name in mcp_server.__all__ if not name.startswith("_")))
def test_every_public_class_comes_from_the_file_named_after_it(name: str) -> None:
    value = getattr(mcp_server, name)
    if isinstance(value, type):
        home = importlib.import_module(value.__module__)
        assert home.__name__.rpartition(".")[2].replace("_", "") == value.__name__.lower()


def test_the_public_names_are_listed_for_whoever_asks() -> None:
    assert set(mcp_server.__all__) <= set(dir(mcp_server))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        mcp_server.no_such_name  # noqa: B018  # reading the attribute is the test


def test_importing_the_package_imports_nothing_heavy(checkout: Path) -> None:
    # Against a bare interpreter, for the environment itself may bring some of them.
    brought = modules_after("import mcp_server", checkout) - modules_after("pass", checkout)
    assert sorted(brought & set(HEAVY)) == []
    assert [name for name in sorted(brought) if name.startswith("mcp_server.")] == []


def test_the_package_is_typed_for_its_users(checkout: Path) -> None:
    assert (checkout / "mcp_server" / "py.typed").exists()
