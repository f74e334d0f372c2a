"""Ways to get a wider policy in force, or to lose a denial without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.policy_source import PolicySource

READ = PermissionType.FILE_READ
POLICY = 'version = 1\n[client.ada]\nfolders = ["notes"]\nallow = ["FILE_READ **"]\ndeny = ["FILE_READ private/**"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    path = tmp_path.resolve() / "desk.toml"
    path.write_text(POLICY)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("misspelt", ["dney", "Deny", "denys", "deny_"])
def test_a_misspelt_denial_is_no_silent_permission(file: Path, misspelt: str) -> None:
    secret = f"{file.parent}/notes/private/x"
    loader = PolicyLoader(home=str(file.parent))
    # The control: a reader that passes over unknown keys would grant it.
    without = POLICY[: POLICY.index("deny")]
    assert PolicyEvaluator(loader.parse(without, base=file.parent)).decide("ada", READ, secret).is_allowed
    with pytest.raises(ConfigurationError, match=misspelt):
        loader.parse(POLICY.replace("deny", misspelt), base=file.parent)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_policy_that_others_can_write_is_not_believed(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        PolicyLoader().load(file)


def test_a_policy_in_a_directory_open_to_everybody_is_not_believed(file: Path) -> None:
    file.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="replace"):
        PolicyLoader().load(file)


def test_a_link_to_a_policy_is_judged_by_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    assert PolicyLoader().load(link).clients
    file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        PolicyLoader().load(link)


def test_a_half_written_policy_is_refused_wherever_it_was_cut(file: Path) -> None:
    loader = PolicyLoader(home=str(file.parent))
    whole = loader.load(file)
    in_force = set()
    for length in range(len(POLICY)):
        file.write_text(POLICY[:length])
        manager = PermissionManager(policy=whole)
        if PolicySource(file, loader, manager, lambda kind, fields: None).reload():
            in_force.add(POLICY[:length].rstrip().splitlines()[-1])
    # Only a cut between two whole lines is a policy by itself: no reader can tell. So a policy is written beside and
    # renamed, as the documentation says.
    assert in_force <= set(POLICY.splitlines())


def test_a_policy_that_changes_while_it_is_read_is_not_put_in_force(file: Path) -> None:
    loader = PolicyLoader(home=str(file.parent))
    manager = PermissionManager(policy=loader.load(file))
    told: list[str] = []
    sizes = iter([1, 2, 3, 3, 3])

    def growing(path: str) -> os.stat_result:
        return os.stat_result((0, 1, 1, 1, 0, 0, next(sizes), 0, 0, 0))

    source = PolicySource(file, loader, manager, lambda kind, fields: told.append(kind), stat_path=growing)
    file.write_text(POLICY[: POLICY.index("deny")])
    assert not source.reload_if_changed()
    assert manager.epoch == 1
    file.write_text(POLICY.replace("private", "secret"))
    assert source.reload_if_changed()
    assert manager.epoch == 2
    assert told == ["policy.rejected", "policy.loaded"]


def test_a_reload_during_a_stream_of_calls_is_followed_at_once(file: Path) -> None:
    loader = PolicyLoader(home=str(file.parent))
    manager = PermissionManager(policy=loader.load(file))
    source = PolicySource(file, loader, manager, lambda kind, fields: None)
    path = f"{file.parent}/notes/a"
    for call in range(100):
        assert manager.decide("ada", READ, path).is_allowed is (call < 50)
        if call == 49:
            fresh = file.with_suffix(".new")
            fresh.write_text(POLICY.replace("allow", "ask"))
            fresh.chmod(0o600)
            os.replace(fresh, file)
            assert source.reload_if_changed()


@pytest.mark.parametrize(
    "grant", ["CODE_EXECUTION", "CODE_EXECUTION *", "CODE_EXECUTION un*", "CODE_EXECUTION Unrestricted"]
)
def test_no_wide_grant_leads_out_of_the_sandbox(file: Path, grant: str) -> None:
    loader = PolicyLoader()
    outside = Permission(PermissionType.CODE_EXECUTION, restricted=False)
    for rule, answer in ((grant, False), ("CODE_EXECUTION unrestricted", True)):
        judge = PolicyEvaluator(loader.parse(f'version = 1\n[client.ada]\nallow = ["{rule}"]'))
        assert judge.might_use("ada", outside) is answer
        assert judge.decide("ada", PermissionType.CODE_EXECUTION, "unrestricted").is_allowed is answer


def test_a_client_is_known_by_exactly_its_name(file: Path) -> None:
    judge = PolicyEvaluator(PolicyLoader(home=str(file.parent)).load(file))
    path = f"{file.parent}/notes/a"
    assert judge.decide("ada", READ, path).is_allowed
    for name in ("Ada", "ada ", "ad\u200ba", "", "*", "ceiling", "default_deny"):
        assert judge.decide(name, READ, path).effect is Effect.DENY


def test_a_flood_of_questions_does_not_fill_the_memory(file: Path) -> None:
    manager = PermissionManager(policy=PolicyLoader(home=str(file.parent)).load(file), max_cached_decisions=100)
    for number in range(1000):
        manager.decide("ada", READ, f"{file.parent}/notes/{number}")
        manager.decide(f"client-{number}", READ, f"{file.parent}/notes/a")
    assert len(manager._generation.decisions) <= 100


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 50_000, "a." * 1_000 + "a = 1", "[" + "a." * 1_000 + "a]", "x = " + "9" * 5000]
)
def test_a_policy_made_to_exhaust_the_reader_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        PolicyLoader().parse("version = 1\n" + text)
