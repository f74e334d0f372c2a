"""Starting brokers, and saying why there can be none."""

from __future__ import annotations

import platform

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker import broker_factory
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.confinement import Confinement
from mcp_server.resources.kernel.landlock import Landlock

JOB = {
    "limits": {"max_walk_seconds": 20.0},
    "protected": [],
    "roots": [
        {"path": "/a/secret/path", "max_bytes": None, "max_files": None},
        {"path": "/another/path", "max_bytes": 5, "max_files": None},
        {"path": "/a/third/path", "max_bytes": None, "max_files": 5},
    ],
}


def test_the_problem_is_that_of_this_machine() -> None:
    assert BrokerFactory.problem() == Confinement.problem(abi=Landlock().abi, machine=platform.machine())


@pytest.mark.parametrize("abi", [0, 1])
def test_a_kernel_that_cannot_confine_is_told_with_the_key_and_what_to_do(
    abi: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old:
        def __init__(self) -> None:
            self.abi = abi

    monkeypatch.setattr(broker_factory, "Landlock", Old)
    factory = BrokerFactory()
    with pytest.raises(ConfigurationError, match=r"^'separate_process' cannot be had here: .*; leave the key out$"):
        factory.check()
    factory.close()


def test_a_machine_without_an_interpreter_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*, for_others: bool) -> None:
        raise ValueError("there is no Python")

    monkeypatch.setattr(broker_factory.Interpreter, "find", none)
    factory = BrokerFactory()
    with pytest.raises(ConfigurationError, match="separate_process"):
        factory.start(JOB)
    factory.close()


def test_nothing_is_started_once_it_is_closed() -> None:
    factory = BrokerFactory()
    factory.close()
    factory.close()
    with pytest.raises(ResourceUnavailableError):
        factory.start(JOB)


def test_a_broker_is_told_numbers_by_its_arguments_and_nothing_else() -> None:
    factory = BrokerFactory(lanes=2)
    broker = factory.start(JOB)
    broker.end()
    assert BrokerFactory.problem() is not None or broker.pid is None
    factory.close()


def test_a_broker_that_counts_first_is_given_the_time_for_it() -> None:
    factory = BrokerFactory(start_seconds=1.0)
    broker = factory.start(JOB)
    # Two folders with a quota, two walks of twenty seconds each.
    assert broker._start_seconds == 81.0
    broker.end()
    factory.close()
