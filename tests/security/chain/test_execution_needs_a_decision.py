"""What executes is reached only behind a decision of the chain: looked for in the sources, and tried at every door."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import ChainRig, operation

Attempt = Callable[[Any], Awaitable[Any]]

CHAIN = "mcp_server/security/security_chain.py"
CONTEXT = "mcp_server/security/client_context.py"
DOORS = "mcp_server/security/doors/"
STARTERS = {"execution", "processes", "root_actions"}

ATTEMPTS: dict[str, tuple[str, str, Attempt]] = {
    "code": (PermissionType.CODE_EXECUTION, "python", lambda client: client.code.run_python("1")),
    "program": (PermissionType.SYSTEM_COMMAND, "true", lambda client: client.run("true")),
    "process": (PermissionType.SYSTEM_COMMAND, "true", lambda client: client.processes.start("true")),
    "root action": (PermissionType.CODE_EXECUTION_SUDO, "look", lambda client: client.root_action("look")),
}
each_attempt = pytest.mark.parametrize(("kind", "resource", "attempt"), ATTEMPTS.values(), ids=ATTEMPTS)

ROOT_ACTIONS = "[sudo]\nenabled = true\n" + "".join(
    f'[sudo.action.{name}]\nprogram = "/usr/bin/true"\n' for name in ("look", "other")
)


class ReachedError(Exception):
    """Something would have been executed."""


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChainRig]:
    """A chain in front of a machine on which everything may be executed, and that tells when something would be."""

    def reached(self: SandboxManager) -> Any:
        raise ReachedError

    for name in STARTERS:
        monkeypatch.setattr(SandboxManager, name, property(reached))
    for name in ("is_sufficient", "can_act_as_root"):
        monkeypatch.setattr(SandboxManager, name, property(lambda self: True))
    config = SandboxConfig(
        programs={"true": Program("true", "/usr/bin/true", (ArgumentForm(""),), "none")},
        sudo=SudoConfig(is_enabled=True, actions={"look": RootAction("look", "/usr/bin/true", ArgumentForm(""))}),
    )
    rig = ChainRig(tmp_path, sandboxes=config)
    yield rig
    rig.close()


def granted(rig: ChainRig, *rules: str) -> None:
    allow = ", ".join(f'"{rule}"' for rule in rules)
    rig.permissions.replace(rig.policy(f"version = 1\n[client.local]\nallow = [{allow}]\n{ROOT_ACTIONS}"))


def call(rig: ChainRig, attempt: Attempt, *permissions: Permission) -> Any:
    return asyncio.run(rig.chain.run(rig.local, lambda principal: operation(attempt, permissions=permissions)))


@each_attempt
def test_what_is_declared_and_granted_is_executed(kind: Any, resource: str, attempt: Attempt, rig: ChainRig) -> None:
    # The control: the attempts of the other tests get through where no barrier stands.
    granted(rig, f"{kind} {resource}")
    with pytest.raises(OperationFailedError) as caught:
        call(rig, attempt, Permission(kind, "**"))
    assert isinstance(caught.value.__cause__, ReachedError)


@each_attempt
def test_what_is_not_declared_is_not_executed(kind: Any, resource: str, attempt: Attempt, rig: ChainRig) -> None:
    for permissions in ((), (Permission(kind, "other"),), (Permission(PermissionType.custom("CUSTOM_BELL"), "**"),)):
        granted(rig, f"{kind} {resource}", f"{kind} other", "CUSTOM_BELL **")
        with pytest.raises(PermissionDeniedError):
            call(rig, attempt, *permissions)


@each_attempt
def test_what_is_not_granted_is_not_executed(kind: Any, resource: str, attempt: Attempt, rig: ChainRig) -> None:
    # With nothing granted the handler is not even known.
    granted(rig)
    with pytest.raises(UnknownNameError):
        call(rig, attempt, Permission(kind, "**"))
    granted(rig, f"{kind} other")
    with pytest.raises(PermissionDeniedError):
        call(rig, attempt, Permission(kind, "**"))


@each_attempt
def test_a_grant_that_is_withdrawn_while_the_handler_runs_executes_nothing_more(
    kind: Any, resource: str, attempt: Attempt, rig: ChainRig
) -> None:
    granted(rig, f"{kind} {resource}")
    met: list[type[BaseException]] = []

    async def handler(client: Any) -> None:
        with pytest.raises(ReachedError):
            await attempt(client)
        granted(rig)
        try:
            await attempt(client)
        except (MCPServerError, ReachedError) as error:
            met.append(type(error))

    call(rig, handler, Permission(kind, "**"))
    assert met == [PermissionDeniedError]


@each_attempt
def test_a_context_that_was_kept_beyond_its_call_executes_nothing(
    kind: Any, resource: str, attempt: Attempt, rig: ChainRig
) -> None:
    granted(rig, f"{kind} {resource}")
    kept: list[Any] = []

    async def handler(client: Any) -> None:
        kept.append(client)
        with pytest.raises(ReachedError):
            await attempt(client)

    call(rig, handler, Permission(kind, "**"))
    with pytest.raises(PermissionDeniedError, match="ended"):
        asyncio.run(attempt(kept[0]))


@pytest.fixture(scope="module")
def sources(checkout: Path) -> dict[str, ast.Module]:
    files = sorted((checkout / "mcp_server").rglob("*.py"))
    return {str(file.relative_to(checkout)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def makers(sources: dict[str, ast.Module], names: set[str]) -> dict[str, set[str]]:
    """Return which files make objects of the classes, by class."""
    found: dict[str, set[str]] = {}
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                found.setdefault(node.func.id, set()).add(path)
    return found


def starters(tree: ast.AST) -> set[str]:
    """Return what of a sandbox manager starts something and is reached for."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in STARTERS
        and ast.unparse(node.value).rpartition(".")[2].lstrip("_") == "sandboxes"
    }


def test_a_gate_is_made_for_a_call_and_a_door_for_a_context(sources: dict[str, ast.Module]) -> None:
    doors = {
        node.name
        for path, tree in sources.items()
        if path.startswith(DOORS)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Door")
    }
    assert {"CodeDoor", "FileDoor", "HttpDoor", "ProcessDoor", "RootActionDoor", "RunDoor"} <= doors
    for door, places in makers(sources, doors | {"HandlerDoor"}).items():
        assert places == {CONTEXT}, door
    assert makers(sources, {"CallGate"})["CallGate"] == {CHAIN, CONTEXT}


def test_what_starts_something_is_reached_for_by_doors_only(sources: dict[str, ast.Module]) -> None:
    places = {path for path, tree in sources.items() if starters(tree)}
    outside = {path for path in places if not path.startswith(DOORS)}
    # One is the door of handlers; the other tells the operator how something would be run, and runs nothing.
    assert outside == {"mcp_server/security/apart/handler_door.py", "mcp_server/cli/policy_command.py"}
    assert len(places) > len(outside)
    explains = ast.unparse(sources["mcp_server/cli/policy_command.py"])
    assert "execution.plan(" in explains
    for start in ("execution.run(", "execution.prepare(", "execution.conversation("):
        assert start not in explains


@pytest.mark.parametrize(
    "attempt",
    ["self._sandboxes.execution.run(request)", "sandboxes.root_actions", "found = self._means.sandboxes.processes"],
)
def test_the_search_finds_what_starts_something(attempt: str) -> None:
    assert starters(ast.parse(attempt))
