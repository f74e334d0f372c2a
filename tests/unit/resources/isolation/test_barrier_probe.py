"""The probe proves something: outside it reaches everything, and inside a barrier that is missing is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_server.resources.isolation.barrier_probe import BarrierProbe
from mcp_server.resources.isolation.canaries import canaries
from tests.security.isolation.sandbox_rig import rig_with


@pytest.fixture
def probe() -> Iterator[BarrierProbe]:
    with canaries() as probe:
        yield probe


def test_outside_every_canary_is_reached(probe: BarrierProbe) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", probe.code], capture_output=True, text=True, check=True)
    reached = json.loads(done.stdout)
    assert set(reached) == set(probe.attacks())
    assert [name for name, told in reached.items() if told is not True] == []
    assert probe.open_barriers(done.stdout) == list(probe.attacks())


def test_inside_none_is(probe: BarrierProbe) -> None:
    with rig_with() as rig:
        result = rig.run_python(probe.code)
        assert probe.open_barriers(result.stdout.text()) == []


@pytest.mark.parametrize(
    ("missing", "reached"),
    [
        ({"second_filter": False, "landlock": False}, {"program"}),
        ({"base_filter": None}, {"set user id"}),
        ({"base_filter": None, "shared": ("net",), "landlock": False}, {"loopback", "abstract socket", "set user id"}),
        (
            {"base_filter": None, "landlock": False, "without": ("--disable-userns",)},
            # Whoever makes one has every right in there.
            {"user namespace", "set user id", "privilege"},
        ),
    ],
    ids=["execution", "filter", "network", "user namespaces"],
)
def test_a_barrier_that_is_missing_is_named(missing: dict[str, Any], reached: set[str], probe: BarrierProbe) -> None:
    with rig_with(**missing) as rig:
        found = probe.open_barriers(rig.run_python(probe.code).stdout.text())
    assert set(found) == reached


def test_an_environment_that_was_passed_on_is_named(probe: BarrierProbe) -> None:
    with rig_with(before=("/usr/bin/env", f"X={probe.word}"), landlock=False) as rig:
        assert probe.open_barriers(rig.run_python(probe.code).stdout.text()) == ["environment"]


def test_a_folder_of_the_host_that_is_there_is_named(probe: BarrierProbe) -> None:
    with rig_with(landlock=False, extra=("--bind", probe.directory, probe.directory)) as rig:
        found = probe.open_barriers(rig.run_python(probe.code).stdout.text())
    assert {"file", "writing outside"} <= set(found)
    with rig_with(landlock=False, base_filter=None, extra=("--bind", probe.directory, probe.directory)) as rig:
        assert "unix socket" in probe.open_barriers(rig.run_python(probe.code).stdout.text())


@pytest.mark.parametrize("output", ["", "nonsense", "{}", "[]", "null", "1", '{"file": null}', '{"file": 0}'])
def test_what_is_not_known_counts_as_open(output: str, probe: BarrierProbe) -> None:
    assert probe.open_barriers(output) == list(probe.attacks())


def test_what_was_put_out_is_gone_afterwards() -> None:
    with canaries() as probe:
        assert os.environ["MCP_SERVER_CANARY"] == probe.word
        assert os.path.exists(probe.file)
    assert "MCP_SERVER_CANARY" not in os.environ
    assert not os.path.exists(probe.directory)
