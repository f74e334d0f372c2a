"""A home with folders, and policies about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with two folders, on no link."""
    root = tmp_path.resolve() / "ada"
    for name in ("Notes", "Shared"):
        (root / name).mkdir(parents=True)
    return root


@pytest.fixture
def loader(home: Path) -> PolicyLoader:
    # Whatever the kernel of this machine can do.
    return PolicyLoader(home=str(home), broker_problem=lambda: None)


@pytest.fixture
def parse(loader: PolicyLoader, home: Path) -> Callable[[str], Policy]:
    """Parse the text of a policy that lies in the home directory; `version = 1` is put before it."""

    def parsed(text: str) -> Policy:
        return loader.parse("version = 1\n" + text, source="desk.toml", base=home)

    return parsed
