"""Root, from where nobody should get it: out of a sandbox, and from a server that nobody set up for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mcp_server.testing import client_for
from mcp_server.tools.modules.execution_module import ExecutionModule
from mcp_server.tools.modules.root_action_module import RootActionModule
from tests.support.sandboxes import sandbox_table


@pytest.mark.parametrize("arguments", ["-n -l", "-n -- /usr/bin/id -u"])
def test_what_runs_in_a_sandbox_does_not_reach_sudo(folder: Path, arguments: str) -> None:
    async def main() -> None:
        programs = {"sudo": {"path": "/usr/bin/sudo", "arguments": [arguments]}}
        sandbox = sandbox_table(folder.parent)
        async with client_for(
            ExecutionModule(), folder=folder, allow=["SYSTEM_COMMAND *"], sandbox=sandbox, programs=programs
        ) as client:
            found = await client.call("run_command", program="sudo", args=arguments.split())
            assert (found["exit_code"], found["stdout"]) == (1, "")
            assert "no new privileges" in found["stderr"]

    asyncio.run(main())


def test_a_server_that_was_not_set_up_for_it_does_nothing_as_root(folder: Path) -> None:
    # As root it refuses all of it; as another user it finds no rule for this in sudoers.
    async def main() -> None:
        async with client_for(
            RootActionModule(),
            folder=folder,
            allow=["CODE_EXECUTION_SUDO touch"],
            sandbox=sandbox_table(folder.parent),
            root_actions={"touch": {"program": "/usr/bin/touch", "arguments": str(folder / "made"), "confirm": False}},
        ) as client:
            denial = await client.denied("run_root_action", action="touch")
            assert "ask the operator" in denial.message
            assert client.audit[-1].fields["err"] == "ResourceUnavailableError:missing"

    asyncio.run(main())
    assert not (folder / "made").exists()
