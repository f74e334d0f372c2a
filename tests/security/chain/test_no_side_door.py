"""Nothing reaches a handler except through the chain: looked for in the sources themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHAIN = "mcp_server/security/security_chain.py"


@pytest.fixture(scope="module")
def sources(checkout: Path) -> dict[str, ast.Module]:
    files = sorted((checkout / "mcp_server").rglob("*.py"))
    return {str(file.relative_to(checkout)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def uses_of(name: str, tree: ast.AST) -> list[ast.Attribute]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name]


def calls_of(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield on what the method `name` is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield ast.unparse(node.func.value)


def handed_on(tree: ast.AST) -> list[ast.Attribute]:
    """Return the uses in which one plan's `execute` hands the context it was given to another's, and does no more."""
    found = []
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef) and function.name == "execute":
            (context,) = function.args.args
            for node in ast.walk(function):
                if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
                    call = node.value
                    given = [ast.unparse(each) for each in call.args]
                    if isinstance(call.func, ast.Attribute) and given == [context.arg] and not call.keywords:
                        found += uses_of("execute", call.func)
    return found


def strays(tree: ast.AST) -> list[int]:
    """Return the lines that carry a plan out without having been carried out as one by the chain."""
    return sorted({each.lineno for each in uses_of("execute", tree)} - {each.lineno for each in handed_on(tree)})


def test_a_plan_is_carried_out_in_one_place_of_the_chain_only(sources: dict[str, ast.Module]) -> None:
    places = {path: strays(tree) for path, tree in sources.items() if strays(tree)}
    assert list(places) == [CHAIN]
    assert len(places[CHAIN]) == 1


@pytest.mark.parametrize(
    "attempt",
    [
        "async def f(plan): return await plan.execute(None)",
        "run = plan.execute",
        "async def execute(context): return await plan.execute(other)",
        "async def execute(context): return plan.execute",
        "def execute(context): return plan.execute(context)",
        "partial(plan.execute, context)",
    ],
)
def test_the_search_finds_a_plan_carried_out_elsewhere(attempt: str) -> None:
    assert strays(ast.parse(attempt))


def test_the_search_lets_a_plan_hand_its_own_context_on() -> None:
    assert not strays(ast.parse("async def execute(context): return await plan.execute(context)"))


def test_the_protocol_knows_no_tool_and_calls_no_handler(sources: dict[str, ast.Module]) -> None:
    offers = {f"mcp_server.tools.{name}" for name in ("tool", "prompt", "published_resource", "module", "completion")}
    for path, tree in sources.items():
        if not path.startswith("mcp_server/protocol/"):
            continue
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & offers, path
        assert list(calls_of("handler", tree)) == [], path
        assert set(calls_of("run", tree)) <= {"self._chain", "context"}, path
        assert strays(tree) == [], path


def test_a_handler_is_called_by_what_the_chain_carries_out_only(sources: dict[str, ast.Module]) -> None:
    # The files in which a tool, prompt, resource or completion calls its author's function.
    offers = {
        "mcp_server/tools/completion.py",
        "mcp_server/tools/prompt.py",
        "mcp_server/tools/published_resource.py",
        "mcp_server/tools/resource_lister.py",
        "mcp_server/tools/tool.py",
    }
    assert {path for path, tree in sources.items() if list(calls_of("handler", tree))} <= offers


def test_a_context_is_made_by_the_chain_only(sources: dict[str, ast.Module]) -> None:
    makers = {
        path
        for path, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ClientContext"
    }
    assert makers == {CHAIN}


def test_the_steps_stand_in_the_chain_in_their_order(sources: dict[str, ast.Module]) -> None:
    methods = {
        node.name: ast.unparse(node)
        for node in ast.walk(sources[CHAIN])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    run, draw, prepare = methods["run"], methods["_draw"], methods["_prepare"]
    # The plan is drawn behind the first step only, and whether it may be known of is asked behind the plan.
    assert draw.index("plan(principal)") < draw.index("self._prepare(")
    assert "may_use(" in prepare
    steps = [
        "self._authenticate(",
        "self._draw(",
        "prepared.is_known",
        "enter(",
        "require_all(",
        "self._pin(",
        "prepared.intent",
        "operation.execute(",
        "tell_outcome(",
    ]
    places = [run.index(step) for step in steps]
    assert places == sorted(places)
