"""Starting brokers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.broker.confinement import Confinement
from mcp_server.resources.broker.running_broker import LANES, OPERATION_SECONDS, START_SECONDS, RunningBroker
from mcp_server.resources.isolation.interpreter import Interpreter
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.worker_factory import INTERPRETER_OPTIONS
from mcp_server.resources.kernel.landlock import Landlock

MAIN: Final = "from mcp_server.resources.broker.broker_process import main; main()"
"""What a broker's interpreter runs."""

MAX_LANES: Final = 32
"""Lanes that one broker may have, each of which is a descriptor here and a thread there."""

COUNTING_WALKS: Final = 2
"""Walks through a folder with a quota before a broker stands: one to clear it, and one to count."""


class BrokerFactory:
    """Starts brokers from one thread that lives as long as it does, and ends with it whatever it started.

    Each is an interpreter that reads no environment, no site packages and nothing of the user's, and is told nothing by
    its arguments but numbers.

    Args:
        lanes: How many questions each answers at once.
        operation_seconds: How long one answer may take.
        start_seconds: How long one may take to stand.
        main: What its interpreter runs.

    >>> factory = BrokerFactory()
    >>> factory.close()
    """

    def __init__(
        self,
        *,
        lanes: int = LANES,
        operation_seconds: float = OPERATION_SECONDS,
        start_seconds: float = START_SECONDS,
        main: str = MAIN,
    ) -> None:
        self._lanes = lanes
        self._operation_seconds = operation_seconds
        self._start_seconds = start_seconds
        self._main = main
        self._launcher = Launcher()
        self._program: str | None = None

    @staticmethod
    def problem() -> str | None:
        """Return why this machine can confine no broker, None where it can."""
        return Confinement.problem(abi=Landlock().abi, machine=os.uname().machine)

    def check(self) -> None:
        """Raise unless this machine can confine a broker; there is none that is not confined.

        Raises:
            ConfigurationError: It cannot; the message says what to do.
        """
        problem = self.problem()
        if problem is not None:
            raise ConfigurationError(f"'separate_process' cannot be had here: {problem}; leave the key out")

    def start(self, job: Mapping[str, Any]) -> RunningBroker:
        """Start one, and do not wait for it.

        Args:
            job: What it is told: `limits` and `roots`.

        Raises:
            ConfigurationError: There is no interpreter that could run it.
            ResourceUnavailableError: The server is stopping.
        """
        if self._program is None:
            try:
                self._program = Interpreter.find(for_others=False).host_program
            except ValueError as error:
                raise ConfigurationError(f"'separate_process' cannot be had here: {error}") from error
        counted = sum(each["max_bytes"] is not None or each["max_files"] is not None for each in job["roots"])
        package = str(Path(__file__).parents[3])
        return RunningBroker(
            launcher=self._launcher,
            command=[
                self._program,
                *INTERPRETER_OPTIONS,
                "-c",
                f"import sys; sys.path.append({package!r})\n{self._main}",
            ],
            job=job,
            lanes=self._lanes,
            operation_seconds=self._operation_seconds,
            start_seconds=self._start_seconds + COUNTING_WALKS * job["limits"]["max_walk_seconds"] * counted,
        )

    def close(self) -> None:
        """Start no more, and end with the thread what it started; may be called twice."""
        self._launcher.close()
