from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.sudo_check import SudoCheck
from mcp_server.resources.isolation.sudo_diagnosis import SudoDiagnosis
from tests.support.sandboxes import ACCOUNTS


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "desk.toml"
    accounts = f"accounts = {list(ACCOUNTS)}\n" if os.getuid() == 0 else ""
    file.write_text(f"version = 1\n[sandbox]\n{accounts}")
    file.chmod(0o600)
    return str(file)


def test_it_attacks_from_both_sides_and_says_what_holds(run: Any, policy: str) -> None:
    done = run("doctor", "--policy", policy, "--json")
    assert (done.code, done.data["holds"]) == (0, True)
    assert done.data["tier"] in ("ns", "full")
    assert len(done.data["attacks"]) > 10
    assert {tuple(each.values()) for each in done.data["attacks"].values()} == {(True, False)}
    assert set(done.data["features"]) == {"bubblewrap", "control groups", "kernel", "landlock"}


def test_people_read_a_table_and_a_verdict(run: Any, policy: str) -> None:
    done = run("doctor", "--policy", policy)
    assert done.code == 0
    assert "loopback" in done.out
    assert done.out.splitlines()[-1].endswith("which holds")


def test_a_machine_without_the_program_is_told_what_to_install(
    run: Any, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "it is not installed; install the package 'bubblewrap'")
    monkeypatch.setattr("mcp_server.resources.sandbox_examiner.LSM_ABI", 1_000)
    done = run("doctor", "--policy", policy)
    assert done.code == 1
    assert "install the package 'bubblewrap'" in done.out
    assert done.out.splitlines()[-1] == "tier: none; demanded: ns, which does not hold"
    assert "loopback" not in done.out


def test_without_namespaces_the_next_tier_is_told(run: Any, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "it is not installed; install the package 'bubblewrap'")
    with open(policy, "a", encoding="utf-8") as file:
        file.write(f'staging = "{Path(policy).parent / "staging"}"\n')
    done = run("doctor", "--policy", policy, "--json")
    assert (done.code, done.data["demanded"]) == (1, "ns")
    assert done.data["tier"] in ("lsm", "none")
    assert any("lsm" in finding for finding in done.data["findings"])


def test_a_demand_that_is_not_met_is_a_no(run: Any, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_server.resources.isolation.control_groups.ControlGroups.find", lambda: None)
    with open(policy, "a", encoding="utf-8") as file:
        file.write('min_tier = "full"\n')
    done = run("doctor", "--policy", policy, "--json")
    assert (done.code, done.data["tier"], done.data["demanded"]) == (1, "ns", "full")
    assert any("--scope" in finding for finding in done.data["findings"])


def test_root_actions_are_looked_at_as_well(run: Any, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SudoDiagnosis(problems=("a rule is wide",), warnings=("sudo is old",))
    monkeypatch.setattr(SudoCheck, "examine", lambda self: told)
    done = run("doctor", "--policy", policy, "--json")
    assert (done.code, done.data["holds"]) == (1, True)
    assert done.data["root_actions"] == {"problems": ["a rule is wide"], "warnings": ["sudo is old"]}
    lines = run("doctor", "--policy", policy).out.splitlines()
    assert "! root actions: a rule is wide" in lines
    assert "? root actions: sudo is old" in lines


def test_a_policy_with_root_actions_is_told_where_the_server_could_do_none(run: Any, policy: str) -> None:
    with open(policy, "a", encoding="utf-8") as file:
        file.write('[sudo]\nenabled = true\n[sudo.action.sync]\nprogram = "/usr/bin/sync"\n')
    done = run("doctor", "--policy", policy, "--json")
    assert done.code == 1
    # As root nothing is done; as another user there is no rule for it.
    assert done.data["root_actions"]["problems"]


@pytest.mark.parametrize("problem", [None, "this kernel has no Landlock"])
def test_it_says_whether_files_can_be_kept_apart_and_whose_are(
    problem: str | None, run: Any, policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.resources.broker.broker_factory.BrokerFactory.problem", lambda: problem)
    if problem is None:
        with open(policy, "a", encoding="utf-8") as file:
            file.write(f'[client.ada]\nfolders = ["{tmp_path}"]\nseparate_process = true\n[client.eve]\n')
    done = run("doctor", "--policy", policy, "--json")
    clients = ["ada"] if problem is None else []
    assert done.data["separate_process"] == {"clients": clients, "problem": problem}
    words = (
        "separate_process: can be had; used by ada"
        if problem is None
        else f"separate_process: {problem}; used by nobody"
    )
    assert words in run("doctor", "--policy", policy).out.splitlines()
