"""The sources, read once, as the tests of this directory look at them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sources(checkout: Path) -> dict[Path, ast.Module]:
    """Every module of the package, by its path inside the checkout, parsed."""
    files = sorted((checkout / "mcp_server").rglob("*.py"))
    return {file.relative_to(checkout): ast.parse(file.read_text(encoding="utf-8")) for file in files}
