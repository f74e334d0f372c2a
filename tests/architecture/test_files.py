"""One class a file, the file named after it; every file says what it is and stays small."""

from __future__ import annotations

import ast
from pathlib import Path

LONGEST_FILE_LINES = 450


def classes(tree: ast.Module) -> list[str]:
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def test_the_sources_are_found(sources: dict[Path, ast.Module]) -> None:
    assert Path("mcp_server/errors/mcp_server_error.py") in sources


def test_a_file_holds_one_class_at_most(sources: dict[Path, ast.Module]) -> None:
    assert {str(path): classes(tree) for path, tree in sources.items() if len(classes(tree)) > 1} == {}


def test_a_file_is_named_after_its_class(sources: dict[Path, ast.Module]) -> None:
    # Lower case and without underscores on both sides, for FileSystemManager lives in filesystem_manager.py.
    strangers = {
        str(path): name
        for path, tree in sources.items()
        for name in classes(tree)
        if name.lstrip("_").lower() != path.stem.replace("_", "")
    }
    assert strangers == {}


def test_a_class_holds_no_class(sources: dict[Path, ast.Module]) -> None:
    nested = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        for outer in ast.walk(tree)
        if isinstance(outer, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(outer)
        if isinstance(node, ast.ClassDef) and node is not outer
    ]
    assert nested == []


def test_faces_hold_no_class(sources: dict[Path, ast.Module]) -> None:
    faces = {path: tree for path, tree in sources.items() if path.stem in ("__init__", "__main__")}
    assert [str(path) for path, tree in faces.items() if classes(tree)] == []


def test_no_file_is_a_drawer_for_anything(sources: dict[Path, ast.Module]) -> None:
    drawers = {"utils", "util", "helpers", "misc", "common", "types"}
    assert [str(path) for path in sources if drawers & set(path.with_suffix("").parts)] == []


def test_every_module_says_what_it_is(sources: dict[Path, ast.Module]) -> None:
    assert [str(path) for path, tree in sources.items() if not ast.get_docstring(tree)] == []


def test_every_public_class_and_function_says_what_it_is(sources: dict[Path, ast.Module]) -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in sources.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_a_file_stays_small_enough_to_be_one_thing(sources: dict[Path, ast.Module], checkout: Path) -> None:
    lengths = {str(path): len((checkout / path).read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE_LINES} == {}
