"""The manifest and the tests say the same."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.conformance import requirements
from tests.conformance.requirement import Requirement
from tests.conformance.requirements import REQUIREMENTS
from tests.support.spec_validator import REVISIONS

HERE = Path(__file__)


def proofs() -> list[tuple[str, str | None]]:
    """Return every test beside this file, and the requirement it names."""
    found: list[tuple[str, str | None]] = []
    for file in sorted(HERE.parent.glob("test_*.py")):
        if file == HERE:
            continue
        found.extend(
            (f"{file.name}:{node.name}", covered(node))
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        )
    return found


def covered(test: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "covers":
            (argument,) = decorator.args
            if isinstance(argument, ast.Constant):
                return str(argument.value)
    return None


def test_no_test_without_an_entry() -> None:
    assert [test for test, requirement in proofs() if requirement not in REQUIREMENTS] == []


def test_no_entry_without_a_test() -> None:
    assert sorted(REQUIREMENTS.keys() - {requirement for _, requirement in proofs()}) == []


def test_an_entry_has_one_test() -> None:
    named = Counter(requirement for _, requirement in proofs())
    assert [requirement for requirement, times in named.items() if times > 1] == []


def test_no_two_tests_of_a_file_have_one_name() -> None:
    # The second would hide the first.
    named = Counter(test for test, _ in proofs())
    assert [test for test, times in named.items() if times > 1] == []


def test_ids_are_unique() -> None:
    chapters = [value for name, value in vars(requirements).items() if name.startswith("_") and is_chapter(value)]
    assert sum(len(chapter) for chapter in chapters) == len(REQUIREMENTS)


def is_chapter(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Requirement)


def test_entries_are_complete() -> None:
    for entry in REQUIREMENTS.values():
        assert set(entry.revisions) <= set(REVISIONS), entry
        assert list(entry.revisions) == sorted(set(entry.revisions)), entry
        assert entry.section.replace(".", "").isdigit(), entry
        assert entry.text.endswith("."), entry
        assert entry.link.startswith("https://modelcontextprotocol.io/specification/20"), entry


def test_every_revision_has_its_entries() -> None:
    counted = Counter(revision for entry in REQUIREMENTS.values() for revision in entry.revisions)
    assert set(counted) == set(REVISIONS)
    assert min(counted.values()) > 100
