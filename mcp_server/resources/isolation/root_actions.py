"""What the operator lets be done as root."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation import gated_start
from mcp_server.resources.isolation.control_group import ControlGroup
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.root_action_result import RootActionResult
from mcp_server.resources.isolation.root_process import RootProcess
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.isolation.trusted_path import path_problem

logger = logging.getLogger(__name__)

SUDO: Final = "/usr/bin/sudo"
"""By its absolute path, for one found by `PATH` is whoever's came first."""

PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
"""All of the environment. Where sudoers sets no `secure_path`, the program keeps this one."""

QUESTION_SECONDS: Final = 10.0
"""How long sudo may take to say whether; it takes some hundredths of a second, or asks a directory service."""

HOUR: Final = 3600.0

_WANTS_PASSWORD: Final = ("sudo: a password is required", "sudo: interactive authentication is required")


class RootActions:
    """Run the operator's actions as root, outside of any sandbox; each as it was written down, or not at all.

    1. The server is no root's, for then nothing would stand between a model and root but this code.
    2. What runs in a sandbox here cannot reach sudo: the tier is `ns` or better.
    3. The action is in the operator's list, is not running already, and was not begun too often in the last hour.
    4. sudo and the program, and all directories above them, can be changed by root alone.
    5. sudo says that this user may run exactly this command.
    6. sudo runs it: without a terminal, a password or any way to ask for one, without input, without environment, in
       the root directory, in a session of its own and, where there is one, a control group of its own.

    Args:
        config: The list.
        launcher: Starts processes.
        tier: What holds on this machine.
        groups: Makes control groups, None where there are none.
        sudo: The program, for tests.
        user: Returns the user id that the server runs as.
        trust: Says what is wrong with a path.
        clock: Monotonic seconds.

    Source: sudo(8), `-n`, `-l`.
    """

    def __init__(
        self,
        *,
        config: SudoConfig,
        launcher: Launcher,
        tier: IsolationTier,
        groups: ControlGroups | None = None,
        sudo: str = SUDO,
        user: Callable[[], int] = os.getuid,
        trust: Callable[[str], str | None] = path_problem,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._launcher = launcher
        self._tier = tier
        # In version 1 a group kills nothing that its owner may not kill.
        self._groups = groups if groups is not None and groups.version == 2 else None
        self._sudo = sudo
        self._user = user
        self._trust = trust
        self._clock = clock
        self._begun: dict[str, deque[float]] = {}
        # None while the action runs here; a process when it could not be ended.
        self._running: dict[str, subprocess.Popen[bytes] | None] = {}

    def require_ready(self, action: RootAction) -> None:
        """Return when the action could be begun now; takes the steps 1 to 4.

        Raises:
            LimitExceededError: It was begun too often.
            ResourceUnavailableError: It cannot be begun, or is running.
        """
        if not self._config.is_enabled or self._config.actions.get(action.name) != action:
            raise ResourceUnavailableError("missing", "this server runs nothing as root; ask the operator")
        if self._user() == 0:
            raise ResourceUnavailableError(
                "missing",
                "this server runs as root, and such a server does nothing as root for a client; "
                "ask the operator to run it as an ordinary user",
            )
        if self._tier < IsolationTier.NS:
            raise ResourceUnavailableError(
                "missing",
                f"actions as root need isolation {IsolationTier.NS.label!r} and the machine gives "
                f"{self._tier.label!r}, so nothing was run; ask the operator to run the doctor",
            )
        if self._is_running(action.name):
            raise ResourceUnavailableError("busy", f"{action.name!r} is running already; wait until it has ended")
        now = self._clock()
        begun = self._begun.setdefault(action.name, deque())
        while begun and begun[0] <= now - HOUR:
            begun.popleft()
        if len(begun) >= action.calls_per_hour:
            wait = begun[0] + HOUR - now
            raise LimitExceededError(
                "calls_per_hour",
                f"{action.name!r} was begun {action.calls_per_hour} times within an hour; wait {wait:.0f} s",
                retry_after_seconds=wait,
            )
        for path in (self._sudo, action.program):
            problem = self._trust(path)
            if problem is not None:
                raise self._refusal("the program of this action is not to be trusted, so nothing was run", problem)

    async def run(self, action: RootAction, command: Sequence[str]) -> RootActionResult:
        """Run a command of the action as root, and return what became of it.

        Args:
            action: The action.
            command: What `RootAction.command` returned.

        Raises:
            LimitExceededError: It was begun too often.
            ResourceUnavailableError: It was not begun: `require_ready` says why, or sudo does not let us.
        """
        self.require_ready(action)
        # What sudo refuses counts as well: whoever tries out what it lets through is stopped by the limit.
        self._begun[action.name].append(self._clock())
        self._running[action.name] = None
        left: subprocess.Popen[bytes] | None = None
        try:
            await self._ask(command)
            process, group = await self._start([self._sudo, "-n", "--", *command], is_grouped=True)
            left = process
            result = await RootProcess(process=process, group=group, clock=self._clock).run(action.timeout_seconds)
        finally:
            # One that could not be ended stays known: nothing is begun beside it, and it is waited for some day.
            if left is None or left.poll() is not None:
                del self._running[action.name]
            else:
                self._running[action.name] = left
        is_silent_failure = result.exit_code == 1 and not result.stdout.seen_bytes
        if is_silent_failure and result.stderr.text().strip() in _WANTS_PASSWORD:
            raise self._refusal("sudo wants a password for this, and nobody gives it one", "no NOPASSWD rule")
        if not result.has_ended or result.left_running:
            logger.warning(
                "the root action %s: %d of its processes go on and are not ours to kill",
                action.name,
                result.left_running + (not result.has_ended),
            )
        return result

    def close(self) -> None:
        """Start nothing more."""
        self._launcher.close()

    def _is_running(self, name: str) -> bool:
        if name not in self._running:
            return False
        process = self._running[name]
        if process is None or process.poll() is None:
            return True
        del self._running[name]
        return False

    async def _ask(self, command: Sequence[str]) -> None:
        """Return when sudo says that it would run exactly this command."""
        process, _ = await self._start([self._sudo, "-n", "-l", "--", *command])
        answer = await RootProcess(process=process, clock=self._clock).run(QUESTION_SECONDS)
        said = answer.stdout.text().strip()
        if answer.reason is not EndReason.EXIT or answer.exit_code != 0 or said != " ".join(command).strip():
            raise self._refusal(
                "sudo does not let this server run exactly this as root, so nothing was run",
                f"{answer.reason} {answer.exit_code}: {said or answer.stderr.text().strip()!r}",
            )

    async def _start(
        self, command: Sequence[str], *, is_grouped: bool = False
    ) -> tuple[subprocess.Popen[bytes], ControlGroup | None]:
        """Start sudo, in a control group of its own where that is wanted and can be had.

        It waits for a word before it becomes sudo: whoever is cancelled meanwhile has started nothing.

        Raises:
            ResourceUnavailableError: It cannot be started.
        """
        group = self._make_group() if is_grouped else None
        gate, word = os.pipe()
        started: Future[subprocess.Popen[bytes]] | None = None
        try:
            started = self._launcher.start(
                [sys.executable, "-I", "-S", gated_start.__file__, str(gate), *command],
                descriptors=(gate,),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                environment={"PATH": PATH},
            )
            process = await asyncio.wrap_future(started)
            if group is not None:
                group.add(process.pid)
            os.write(word, gated_start.WORD)
        except BaseException as error:
            os.close(word)
            word = -1
            if started is not None:
                started.add_done_callback(_reap)
            if group is not None:
                await group.end()
            if isinstance(error, OSError):
                raise self._refusal("the program could not be started", error.strerror or "") from error
            raise
        finally:
            os.close(gate)
            if word >= 0:
                os.close(word)
        return process, group

    def _make_group(self) -> ControlGroup | None:
        if self._groups is None:
            return None
        with contextlib.suppress(OSError):
            return self._groups.make()
        return None

    @staticmethod
    def _refusal(message: str, cause: str) -> ResourceUnavailableError:
        """Return the error for the client; what it is about on this machine is for the operator."""
        logger.warning("a root action: %s: %s", message, cause)
        error = ResourceUnavailableError("missing", f"{message}; ask the operator to run the doctor")
        error.add_note(cause)
        return error


def _reap(started: Future[subprocess.Popen[bytes]]) -> None:
    """Wait for a process that got no word, and so ends at once."""
    if not started.cancelled() and started.exception() is None:
        started.result().communicate()
