"""The tool as a client meets it: through the whole chain, in memory, with a real sandbox."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from mcp_server.testing.client_for import client_for
from mcp_server.testing.module_client import ModuleClient
from mcp_server.tools.modules.execution_module import ExecutionModule

T = TypeVar("T")

SANDBOX: dict[str, Any] = {"accounts": [210_000, 210_063]} if os.getuid() == 0 else {}
PYTHON = ("CODE_EXECUTION python",)


def within(
    work: Callable[[ModuleClient], Awaitable[T]],
    *,
    allow: tuple[str, ...] = PYTHON,
    sandbox: dict[str, Any] | None = None,
    **options: Any,
) -> T:
    async def run() -> T:
        async with client_for(ExecutionModule(), allow=allow, sandbox=SANDBOX | (sandbox or {}), **options) as client:
            return await work(client)

    return asyncio.run(run())


def test_a_program_is_run_and_its_end_is_told() -> None:
    found = within(lambda client: client.call("run_python", code="print(6 * 7)"))
    assert (found["reason"], found["exit_code"], found["stdout"]) == ("exit", 0, "42\n")
    assert found["isolation"] in ("ns", "full")


def test_a_program_that_fails_is_no_failed_call() -> None:
    result = within(lambda client: client.result("run_python", code="1 / 0"))
    assert not result.get("isError")
    assert result["structuredContent"]["exit_code"] == 1
    assert "ZeroDivisionError" in result["content"][0]["text"]
    assert "[exit code 1]" in result["content"][0]["text"]


def test_input_and_time_are_the_callers_within_the_operators() -> None:
    async def work(client: ModuleClient) -> None:
        found = await client.call("run_python", code="print(input()[::-1])", stdin="abc")
        assert found["stdout"] == "cba\n"
        for timeout in (0.3, 1000):
            found = await client.call("run_python", code="import signal; signal.pause()", timeout=timeout)
            assert found["reason"] == "timeout"
            assert found["seconds"] < 10

    within(work, sandbox={"limits": {"wall_seconds": 1}})


def test_without_the_permission_the_tool_is_refused() -> None:
    denial = within(lambda client: client.denied("run_python", code="print(1)"), allow=("SYSTEM_COMMAND nosuch",))
    assert denial.code


# Others need no accounts.
@pytest.mark.parametrize("sandbox", [{}] if os.getuid() == 0 else [])
def test_where_nothing_may_be_executed_the_tool_is_not_there(sandbox: dict[str, Any]) -> None:
    async def run() -> Any:
        async with client_for(ExecutionModule(), allow=PYTHON, sandbox=sandbox) as client:
            return (await client.request("tools/list"))["tools"]

    assert asyncio.run(run()) == []


def test_the_tool_is_offered_to_whoever_may_run_something() -> None:
    async def names(client: ModuleClient) -> list[str]:
        return [tool["name"] for tool in (await client.request("tools/list"))["tools"]]

    assert "run_python" in within(names)
    assert "run_python" not in within(names, allow=("SYSTEM_COMMAND nosuch",))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"code": 1},
        {"code": "1", "timeout": 0},
        {"code": "1", "timeout": -1},
        {"code": "1", "stdin": 1},
        {"code": "1", "program": "/bin/sh"},
        {"code": "1", "may_execute": True},
        {"code": "1", "policy": {"may_execute": True}},
        {"code": "1", "sudo": True},
    ],
)
def test_what_the_tool_does_not_take_is_refused(arguments: dict[str, Any]) -> None:
    async def work(client: ModuleClient) -> str:
        try:
            result = await client.result("run_python", **arguments)
        except Exception as error:  # noqa: BLE001 - refused in whatever form
            return str(error)
        assert result["isError"], result
        return str(result["content"][0]["text"])

    assert within(work)


def test_the_record_says_how_it_was_contained() -> None:
    async def work(client: ModuleClient) -> Any:
        await client.call("run_python", code="print('secret-word')")
        return [record.fields for record in client.audit]

    records = within(work)
    assert any(record.get("tier") in ("ns", "full") for record in records)
    assert "secret-word" not in repr(records)
