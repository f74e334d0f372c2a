"""Paths and patterns that break other matchers, each beside the matcher it breaks.

The control shows that the attack is real: the usual tool says yes where this library says no. A control that no longer
holds is a test that proves nothing, so it is asserted too.
"""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path, PurePosixPath

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader

READ = PermissionType.FILE_READ


@pytest.mark.parametrize("path", ["/data/secret/key.txt", "/data/a/b/c.txt"])
def test_a_star_does_not_cross_a_slash(path: str) -> None:
    assert fnmatchcase(path, "/data/*.txt")
    assert not PathPattern.compile("/data/*.txt").matches(path)
    assert PathPattern.compile("/data/*.txt").matches("/data/a.txt")


@pytest.mark.parametrize("path", ["/data/../etc/passwd", "/data/x/../../etc/passwd", "/data/.."])
def test_climbing_out_matches_nothing(path: str) -> None:
    assert path.startswith("/data/")
    assert fnmatchcase(path, "/data/*")
    assert PurePosixPath(path).is_relative_to("/data")
    assert PurePosixPath(path).match("/data" + "/*" * (path.count("/") - 1))
    assert not PathPattern.compile("/data/**").matches(path)
    assert PathPattern.compile("/data/**").matches("/data/x")


@pytest.mark.parametrize("path", ["/database/dump.sql", "/data.bak/x", "/data-old"])
def test_a_neighbour_with_the_same_beginning_is_outside(path: str) -> None:
    assert path.startswith("/data")
    assert not PathPattern.compile("/data/**").matches(path)


@pytest.mark.parametrize(
    "path", ["/data/a.txt\n", "/data/a\0.txt", "/data/\x1b[2Ka.txt", "/data//a.txt", "/data/./a.txt"]
)
def test_spellings_the_kernel_never_reports_match_nothing(path: str) -> None:
    assert fnmatchcase(path.rstrip("\n"), "/data/*.txt") or fnmatchcase(path, "/data/*")
    assert not PathPattern.compile("/data/**").matches(path)


def test_a_hidden_name_is_a_name_so_that_a_denial_finds_it(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    assert glob("*", root_dir=tmp_path) == []
    assert PathPattern.compile("*").matches(".env")


@pytest.mark.parametrize(
    "pattern",
    ["/data/[!.]*", "/data/{a,b}", "/data/\\*", "!/data/private", "~/notes", "~root/**", "a**", "./a", "a/../b"],
)
def test_what_other_matchers_understand_and_this_one_does_not_is_an_error_and_never_a_plain_text(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        PathPattern.compile(pattern)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "notes" / "a*b").mkdir(parents=True)
    (tmp_path / "notes" / "aXb").mkdir()
    return tmp_path.resolve()


def evaluator(home: Path, rules: str) -> PolicyEvaluator:
    text = f'version = 1\n[client.ada]\nfolders = ["notes"]\n{rules}'
    return PolicyEvaluator(PolicyLoader(home=str(home)).parse(text, base=home))


@pytest.mark.parametrize(
    "name",
    [".SSH", ".Ssh", ".s\u017fh", ".ss\u200bh", "\u200d.ssh", ".ssh\ufe0f", "\ufeff.ssh", ".s\u00adsh"],
)
@pytest.mark.parametrize("tail", ["", "/id_ed25519", "/deep/er/key"])
def test_no_other_spelling_of_a_denied_directory_gets_past_the_denial(home: Path, name: str, tail: str) -> None:
    path = f"{home}/notes/{name}{tail}"
    # The control: compared exactly, the denial would miss it.
    assert not any(PathPattern.compile(text).matches(path) for text in ("/**/.ssh", "/**/.ssh/**"))
    decision = evaluator(home, 'allow = ["FILE_READ **"]').decide("ada", READ, path)
    assert (decision.effect, decision.layer) == (Effect.DENY, "default_deny")


@pytest.mark.parametrize("name", ["Privé", "Straße", "ÅNGSTRÖM", "\u1e69ecret", "한글"])
def test_no_composition_of_a_denied_name_gets_past_the_denial(home: Path, name: str) -> None:
    rules = f'allow = ["FILE_READ **"]\ndeny = ["FILE_READ {name}/**"]'
    judge = evaluator(home, rules)
    spellings = {
        unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in (name, name.upper(), name.lower())
    }
    assert len(spellings) > 1
    assert any(not PathPattern.compile(f"{name}/**").matches(f"{spelling}/x") for spelling in spellings)
    for spelling in spellings:
        assert judge.decide("ada", READ, f"{home}/notes/{spelling}/x").rule == "ada.deny[0]"


def test_a_grant_is_never_widened_by_case_or_composition(home: Path) -> None:
    judge = evaluator(home, 'allow = ["FILE_READ caf\u00e9/*"]')
    assert judge.decide("ada", READ, f"{home}/notes/caf\u00e9/x").is_allowed
    for spelling in ("cafe\u0301", "CAF\u00c9"):
        assert not judge.decide("ada", READ, f"{home}/notes/{spelling}/x").is_allowed


def test_a_wildcard_in_the_name_of_a_folder_is_a_sign_like_others(home: Path) -> None:
    text = 'version = 1\n[client.ada]\nfolders = ["notes/a*b"]\nallow = ["FILE_READ **"]'
    judge = PolicyEvaluator(PolicyLoader(home=str(home)).parse(text, base=home))
    assert fnmatchcase(f"{home}/notes/aXb/x", f"{home}/notes/a*b/*")
    assert judge.decide("ada", READ, f"{home}/notes/a*b/x").is_allowed
    assert not judge.decide("ada", READ, f"{home}/notes/aXb/x").is_allowed


def test_no_rule_of_a_client_reaches_outside_its_folders(home: Path) -> None:
    judge = evaluator(home, 'allow = ["FILE_READ /**", "FILE_WRITE /**"]')
    assert judge.decide("ada", READ, f"{home}/notes/x").is_allowed
    for path in ("/etc/passwd", f"{home}", f"{home}/notes2/x", f"{home}/Notes/x"):
        assert PathPattern.compile("/**").matches(path)
        assert not judge.decide("ada", READ, path).is_allowed


def test_a_more_exact_grant_does_not_shadow_a_denial(home: Path) -> None:
    judge = evaluator(home, 'allow = ["FILE_READ private/one.md"]\ndeny = ["FILE_READ private/**"]')
    assert judge.decide("ada", READ, f"{home}/notes/private/one.md").effect is Effect.DENY


@pytest.mark.parametrize("grant", ["FILE_READ **", "FILE_READ .ssh/id", "FILE_READ .ssh/**"])
def test_no_policy_can_grant_what_is_denied_by_default(home: Path, grant: str) -> None:
    judge = evaluator(home, f'allow = ["{grant}"]')
    assert judge.decide("ada", READ, f"{home}/notes/.ssh/id").layer == "default_deny"


@pytest.mark.parametrize("kind", [name for name in PermissionType.names() if PermissionType(name).is_path])
def test_the_default_denials_hold_for_every_verb(home: Path, kind: str) -> None:
    policy = Policy.for_folders([home])
    for path in (f"{home}/.ssh", f"{home}/.aws/credentials", f"{home}/.docker/config.json"):
        assert PolicyEvaluator(policy).decide("local", PermissionType(kind), path).layer == "default_deny"


def test_a_link_put_in_the_place_of_a_granted_folder_after_loading_gains_nothing(home: Path) -> None:
    judge = evaluator(home, 'allow = ["FILE_READ aXb/**"]')
    (home / "notes" / "aXb").rmdir()
    (home / "notes" / "aXb").symlink_to("/etc")
    # What is asked about is the opened file's own path.
    opened = (home / "notes" / "aXb" / "passwd").resolve()
    assert not judge.decide("ada", READ, str(opened)).is_allowed
