from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.root_action_result import RootActionResult
from mcp_server.resources.isolation.root_actions import RootActions
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.client_context import ClientContext
from mcp_server.testing import ModuleClient, client_for
from mcp_server.tools.modules.root_action_module import RootActionModule
from tests.support.fake_sudo import FakeSudo, action

REVISIONS = ("2025-11-25", "2026-07-28")
ACTIONS = {
    "restart": action(),
    "confirmed": action(confirm=True),
    "rare": action(calls_per_hour=1, confirm=True),
    "slow": action(program="/usr/bin/sleep", arguments="60", timeout_seconds=1),
    "flood": action(program="/usr/bin/yes", arguments=""),
    "fails": action(program="/usr/bin/cat", arguments="/nonexistent"),
    "other": action(),
}
ALLOW = [f"CODE_EXECUTION_SUDO {name}" for name in ACTIONS if name != "other"]
Scenario = Callable[[ModuleClient], Coroutine[Any, Any, None]]
Serve = Callable[..., list[Mapping[str, Any]]]


@pytest.fixture
def sudo(tmp_path: Path) -> FakeSudo:
    return FakeSudo(tmp_path)


@pytest.fixture
def serve(sudo: FakeSudo, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Run a scenario against a client in memory, and return the questions that its human was asked."""

    def work(
        scenario: Scenario,
        *,
        answers: list[bool] | None = None,
        tier: IsolationTier = IsolationTier.NS,
        user: int = 1000,
        allow: list[str] = ALLOW,
        **more: Any,
    ) -> list[Mapping[str, Any]]:
        asked: list[Mapping[str, Any]] = []

        def root_actions(manager: SandboxManager) -> RootActions:
            if manager._root_actions is None:
                manager._root_actions = RootActions(
                    config=manager.config.sudo,
                    launcher=Launcher(),
                    tier=tier,
                    sudo=sudo.path,
                    user=lambda: user,
                    trust=lambda path: None,
                )
            return manager._root_actions

        monkeypatch.setattr(SandboxManager, "tier", property(lambda self: tier))
        monkeypatch.setattr(SandboxManager, "root_actions", property(root_actions))

        async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            asked.append(params)
            yes = (answers or []).pop(0)
            return {"action": "accept", "content": {"allow": True}} if yes else {"action": "decline"}

        async def main() -> None:
            settings = {"root_actions": ACTIONS, "answer": None if answers is None else answer, **more}
            async with client_for(RootActionModule(), allow=allow, **settings) as client:
                await scenario(client)

        asyncio.run(main())
        return asked

    return work


def test_the_client_is_told_what_it_may_have_done_and_nothing_else(serve: Serve) -> None:
    async def scenario(client: ModuleClient) -> None:
        (found,) = (await client.call("list_root_actions"))["actions"]
        assert found == {
            "action": "restart",
            "command": "/usr/bin/echo restart {unit:nginx|redis}",
            "slots": {"unit": "nginx|redis"},
            "is_confirmed": False,
            "calls_per_hour": 6,
            "timeout_seconds": 60.0,
        }

    serve(scenario, allow=["CODE_EXECUTION_SUDO restart"])


def test_it_is_done_and_on_record_before_and_after(serve: Serve, sudo: FakeSudo) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.result("run_root_action", action="restart", arguments={"unit": "redis"})
        assert found["structuredContent"] == {
            "reason": "exit",
            "exit_code": 0,
            "signal": None,
            "stdout": "restart redis\n",
            "stderr": "",
            "truncated": False,
            "seconds": found["structuredContent"]["seconds"],
            "has_ended": True,
            "left_running": 0,
        }
        # No sandbox contained it, and everybody is told.
        assert found["_meta"]["dev.mcpserver/isolation"] == "none"
        intent, done = [each for each in client.audit if each.kind.startswith("call.") and each.tool]
        assert (intent.kind, done.kind) == ("call.intent", "call.done")
        assert intent.fields["need"] == [["CODE_EXECUTION_SUDO", "restart", "local.allow[0]"]]
        assert done.fields["tier"] == "none"

    serve(scenario)
    assert len(sudo.calls) == 2


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_the_operator_wants_confirmed_is_done_when_a_human_says_so(
    serve: Serve, sudo: FakeSudo, revision: str
) -> None:
    async def scenario(client: ModuleClient) -> None:
        # Once for each call, and the count is of what was done, not of what was asked.
        assert (await client.call("run_root_action", action="rare", arguments={"unit": "redis"}))["exit_code"] == 0
        kinds = [each.kind for each in client.audit]
        assert "consent.granted" in kinds
        assert kinds.index("consent.granted") < len(kinds) - 1

    (question,) = serve(scenario, answers=[True], revision=revision)
    assert "CODE_EXECUTION_SUDO rare" in question["message"]
    assert question["message"].endswith("As root it runs: /usr/bin/echo restart redis")
    assert len(sudo.calls) == 2


@pytest.mark.parametrize("revision", REVISIONS)
def test_and_not_when_he_does_not(serve: Serve, sudo: FakeSudo, revision: str) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_root_action", action="confirmed", arguments={"unit": "redis"})
        assert "declined" in denial.message

    assert len(serve(scenario, answers=[False], revision=revision)) == 1
    assert sudo.calls == []


def test_nor_when_nobody_can_be_asked(serve: Serve, sudo: FakeSudo) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_root_action", action="confirmed", arguments={"unit": "redis"})
        assert "cannot show a question" in denial.message

    serve(scenario)
    assert sudo.calls == []


def test_a_human_cannot_grant_what_the_operator_did_not(serve: Serve, sudo: FakeSudo) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_root_action", action="other", arguments={"unit": "redis"})
        assert "operator" in denial.message

    assert serve(scenario, answers=[True], ask=["CODE_EXECUTION_SUDO other"]) == []
    assert sudo.calls == []


@pytest.mark.parametrize("name", ["other", "nothing", "", "restart ", "RESTART", "*", "/usr/bin/id", "unrestricted"])
def test_what_is_not_granted_by_name_is_not_done(serve: Serve, sudo: FakeSudo, name: str) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_root_action", action=name, arguments={"unit": "redis"})
        assert denial.permission == "CODE_EXECUTION_SUDO"

    serve(scenario)
    assert sudo.calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"unit": "ssh"},
        {"unit": "redis", "more": "--now"},
        {"unit": "redis; id"},
        {"unit": ["redis"]},
        {"unit": "--help"},
        {"unit": "redis\u0000"},
        {"UNIT": "redis"},
    ],
)
def test_slots_take_what_they_are_for(serve: Serve, sudo: FakeSudo, arguments: dict[str, Any]) -> None:
    async def scenario(client: ModuleClient) -> None:
        assert "slot" in (await client.denied("run_root_action", action="restart", arguments=arguments)).message

    serve(scenario)
    assert sudo.calls == []


@pytest.mark.parametrize("value", [{"a": 1}, None, 1.5, True, [[1]]])
def test_values_are_texts_and_whole_numbers(serve: Serve, sudo: FakeSudo, value: Any) -> None:
    async def scenario(client: ModuleClient) -> None:
        await client.denied("run_root_action", action="restart", arguments={"unit": value})

    serve(scenario)
    assert sudo.calls == []


def test_how_it_went_is_told_apart(serve: Serve) -> None:
    async def scenario(client: ModuleClient) -> None:
        for name, reason, words in (
            ("slow", "timeout", "took longer"),
            ("flood", "output", "wrote far more"),
            ("fails", "exit", "exit code 1"),
        ):
            found = await client.result("run_root_action", action=name)
            assert found["structuredContent"]["reason"] == reason
            assert words in found["content"][0]["text"]
        assert found["structuredContent"]["stderr"] in found["content"][0]["text"]

    serve(scenario)


def test_too_many_are_refused_before_anybody_is_asked(serve: Serve) -> None:
    async def scenario(client: ModuleClient) -> None:
        await client.call("run_root_action", action="rare", arguments={"unit": "redis"})
        denial = await client.denied("run_root_action", action="rare", arguments={"unit": "redis"})
        assert "within an hour" in denial.message

    assert len(serve(scenario, answers=[True])) == 1


def test_a_server_of_roots_does_nothing_as_root(serve: Serve, sudo: FakeSudo) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_root_action", action="restart", arguments={"unit": "redis"})
        assert "run it as an ordinary user" in denial.message

    serve(scenario, user=0)
    assert sudo.calls == []


@pytest.mark.parametrize(
    ("tier", "more"),
    [
        (IsolationTier.LSM, {"sandbox": {"min_tier": "lsm"}}),
        (IsolationTier.LSM, {}),
        (IsolationTier.NONE, {"sandbox": {"min_tier": "lsm"}}),
        (IsolationTier.NS, {"allow": []}),
        (IsolationTier.NS, {"deny": ["CODE_EXECUTION_SUDO *"]}),
    ],
)
def test_where_it_could_not_be_done_it_is_not_offered(
    serve: Serve, sudo: FakeSudo, tier: IsolationTier, more: dict[str, Any]
) -> None:
    async def scenario(client: ModuleClient) -> None:
        assert (await client.request("tools/list"))["tools"] == []
        denial = await client.denied("run_root_action", action="restart", arguments={"unit": "redis"})
        assert "run_root_action" in denial.message

    serve(scenario, tier=tier, **more)
    assert sudo.calls == []


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"reason": EndReason.SIGNAL, "signal": 1}, ["ended by signal 1"]),
        ({"reason": EndReason.TIMEOUT, "has_ended": False}, ["took longer", "it goes on, and only root can end it"]),
        ({"reason": EndReason.TIMEOUT, "left_running": 2}, ["took longer", "2 of its processes go on"]),
    ],
)
def test_what_goes_on_is_told(result: dict[str, Any], words: list[str]) -> None:
    members: dict[str, Any] = {"exit_code": None, "signal": None, "wall_seconds": 1.0, **result}
    found = RootActionResult(stdout=CapturedOutput(), stderr=CapturedOutput(), **members)

    async def root_action(action: str, arguments: Any) -> RootActionResult:
        return found

    client = cast("ClientContext", SimpleNamespace(root_action=root_action))
    told = asyncio.run(RootActionModule().handle_run_root_action(client, {"action": "x"}))
    assert told.structured is not None
    assert (told.structured["has_ended"], told.structured["left_running"]) == (found.has_ended, found.left_running)
    assert all(each in told.content[0]["text"] for each in words)
