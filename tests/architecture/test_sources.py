"""What no source may hold: state of the module, a print, relative imports, things left for later."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MUTABLE_LITERALS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
MUTABLE_CALLS = {"dict", "list", "set", "bytearray", "defaultdict", "OrderedDict", "Counter", "deque"}
# Put together, so that this file does not find itself.
LEFT_FOR_LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")


def assigned(tree: ast.Module) -> Iterator[tuple[int, str, bool, ast.expr | None]]:
    """Yield line, name, whether it is Final, and value of each assignment on the module's level."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield node.lineno, target.id, False, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id, "Final" in ast.unparse(node.annotation), node.value


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return (
            isinstance(value.func, ast.Name | ast.Attribute) and ast.unparse(value.func).split(".")[-1] in MUTABLE_CALLS
        )
    return isinstance(value, MUTABLE_LITERALS)


def test_no_module_keeps_state(sources: dict[Path, ast.Module]) -> None:
    # A table that is Final, or named as a constant, is read and never written; the type checker sees to the first.
    state = [
        f"{path}:{line} {name}"
        for path, tree in sources.items()
        for line, name, is_final, value in assigned(tree)
        if is_mutable(value) and not (is_final or name.lstrip("_").isupper() or name == "__all__")
    ]
    assert state == []


def test_no_function_rebinds_a_name_of_its_module(sources: dict[Path, ast.Module]) -> None:
    rebinding = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]
    assert rebinding == []


def test_only_the_command_line_prints(sources: dict[Path, ast.Module]) -> None:
    printing = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        if "cli" not in path.parts
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.stdout.write", "sys.stderr.write")
    ]
    assert printing == []


def test_imports_are_absolute(sources: dict[Path, ast.Module]) -> None:
    relative = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_nothing_goes_through_a_shell(sources: dict[Path, ast.Module]) -> None:
    shells = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        for node in ast.walk(tree)
        # What runs inside a sandbox, and is what runs a model's program there.
        if path.name != "runner.py"
        and isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in ("os.system", "os.popen", "asyncio.create_subprocess_shell", "eval", "exec")
            or any(keyword.arg == "shell" for keyword in node.keywords)
        )
    ]
    assert shells == []


def test_nothing_is_left_for_later(checkout: Path) -> None:
    folders = ("mcp_server", "tests", "docs", "examples", "benchmarks", "scripts")
    left = [
        f"{file.relative_to(checkout)}:{number}"
        for folder in folders
        for file in sorted((checkout / folder).rglob("*"))
        if file.suffix in {".py", ".md", ".toml", ".sh", ""} and file.is_file() and "node_modules" not in file.parts
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if LEFT_FOR_LATER.search(line)
    ]
    assert left == []


def test_a_skipped_test_proves_nothing_so_there_is_none(checkout: Path) -> None:
    evasion = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)|unittest\.skip|time\.sleep\(")
    here = Path(__file__)
    found = [
        f"{file.relative_to(checkout)}:{number}"
        for file in sorted((checkout / "tests").rglob("*.py"))
        if file != here
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if evasion.search(line)
    ]
    assert found == []
