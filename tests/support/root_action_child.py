"""A server's way to root, in a process that begins as root and becomes an ordinary user before it does anything.

Run with `python -m`, told by JSON on standard input: `actions`, each with its members; `group`, the directory of a
control group that is the user's, or null; and `calls`, each an action's name, its values, and after how many seconds it
is taken back, or null. Printed is, for each call, what became of it, and then what the check finds.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.root_actions import RootActions
from mcp_server.resources.isolation.sudo_check import SudoCheck
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.kernel.cgroup_v2 import CgroupV2


async def one(root: RootActions, action: RootAction, values: Mapping[str, Any], cancel: float | None) -> Any:
    """Return what became of one call."""
    task = asyncio.create_task(root.run(action, action.command(values)))
    if cancel is not None:
        asyncio.get_running_loop().call_later(cancel, task.cancel)
    try:
        found = await task
    except asyncio.CancelledError:
        return {"cancelled": True}
    except MCPServerError as error:
        return {"error": str(error), "notes": getattr(error, "__notes__", [])}
    return {
        "reason": str(found.reason),
        "exit_code": found.exit_code,
        "signal": found.signal,
        "stdout": found.stdout.text(),
        "stderr": found.stderr.text(),
        "has_ended": found.has_ended,
        "left_running": found.left_running,
    }


def become(user: int, group: str | None) -> None:
    """Become an ordinary user, in a control group of his."""
    if group is not None:
        with open(f"{group}/own/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


async def main() -> None:
    """Do what is asked, and tell of it."""
    asked = json.load(sys.stdin)
    become(asked["user"], asked["group"])
    actions = {
        name: RootAction(name, each["program"], ArgumentForm(each.get("arguments", "")), each.get("timeout", 10.0))
        for name, each in asked["actions"].items()
    }
    config = SudoConfig(is_enabled=True, actions=actions)
    groups = None if asked["group"] is None else ControlGroups(CgroupV2(asked["group"]))
    launcher = Launcher()
    root = RootActions(config=config, launcher=launcher, tier=IsolationTier.NS, groups=groups)
    told = [await one(root, actions[name], values, cancel) for name, values, cancel in asked["calls"]]
    root.close()
    found = SudoCheck(config=config, tier=IsolationTier.NS).examine()
    print(json.dumps({"calls": told, "problems": found.problems, "warnings": found.warnings}))


if __name__ == "__main__":
    asyncio.run(main())
