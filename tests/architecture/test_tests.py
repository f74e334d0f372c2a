"""The unit tests mirror the sources, and every test looks at something."""

from __future__ import annotations

import ast
import re
from pathlib import Path

CHECKS = re.compile(r"\bassert\b|\braises\b|\bwarns\b|assert_|\bfail\(|expect|check|verify|rule_based")


def test_every_unit_test_mirrors_a_source_file(checkout: Path) -> None:
    unit = checkout / "tests" / "unit"
    orphans = []
    for test in sorted(unit.rglob("test_*.py")):
        folder = checkout / "mcp_server" / test.parent.relative_to(unit)
        source = test.stem.removeprefix("test_")
        if not (folder / f"{source}.py").exists() and not (folder / source / "__init__.py").exists():
            orphans.append(str(test.relative_to(checkout)))
    assert orphans == []


def test_no_directory_of_tests_is_a_package(checkout: Path) -> None:
    assert [str(path) for path in (checkout / "tests").rglob("__init__.py") if "node_modules" not in path.parts] == []


def test_every_test_asserts_something(checkout: Path) -> None:
    silent = [
        f"{file.relative_to(checkout)}:{node.lineno} {node.name}"
        for file in sorted((checkout / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and not CHECKS.search(ast.unparse(node))
    ]
    assert silent == []
