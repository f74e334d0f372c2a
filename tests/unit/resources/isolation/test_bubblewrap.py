from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.bubblewrap import ETC, HOST_DIRECTORIES, PACKAGE, PROGRAM, WORKSPACE, Bubblewrap
from mcp_server.resources.isolation.interpreter import INSIDE, Interpreter
from mcp_server.resources.isolation.resource_limits import ResourceLimits

# How many words follow an option, for every option that is used.
ARITY = {
    "--unshare-all": 0,
    "--unshare-user": 0,
    "--disable-userns": 0,
    "--die-with-parent": 0,
    "--new-session": 0,
    "--share-net": 0,
    "--clearenv": 0,
    "--cap-drop": 1,
    "--hostname": 1,
    "--uid": 1,
    "--gid": 1,
    "--ro-bind": 2,
    "--symlink": 2,
    "--dir": 1,
    "--ro-bind-fd": 2,
    "--bind-fd": 2,
    "--perms": 1,
    "--ro-bind-data": 2,
    "--proc": 1,
    "--dev": 1,
    "--size": 1,
    "--tmpfs": 1,
    "--remount-ro": 1,
    "--chdir": 1,
    "--setenv": 2,
    "--seccomp": 1,
    "--json-status-fd": 1,
}
DESTINATIONS = ("--ro-bind", "--symlink", "--dir", "--ro-bind-fd", "--bind-fd", "--ro-bind-data", "--proc", "--dev")


def options(**changed: Any) -> list[tuple[str, ...]]:
    """Return the options, each with its words."""
    given: dict[str, Any] = {
        "interpreter": Interpreter(None, "/usr/bin/python3"),
        "interpreter_fd": None,
        "files": [("/etc/passwd", 20), (f"{PACKAGE}/mcp_server/runner.py", 21)],
        "workspace_fd": None,
        "may_write": False,
        "seccomp_fd": 10,
        "status_fd": 11,
        "limits": ResourceLimits(tmp_bytes=12345),
    }
    words = Bubblewrap().options(**(given | changed))
    found = []
    while words:
        count = 1 + ARITY[words[0]]
        found.append(tuple(words[:count]))
        del words[:count]
    return found


def destinations(**changed: Any) -> list[str]:
    return [each[-1] for each in options(**changed) if each[0] in (*DESTINATIONS, "--tmpfs")]


ALL = [
    {},
    {"workspace_fd": 30},
    {"workspace_fd": 30, "may_write": True},
    {"interpreter_fd": 31, "interpreter": Interpreter("/home/ada/py", f"{INSIDE}/bin/python3")},
]


@pytest.mark.parametrize("given", ALL)
def test_every_namespace_is_its_own_and_everything_is_dropped(given: dict[str, Any]) -> None:
    found = options(**given)
    assert found[:7] == [
        ("--unshare-all",),
        ("--unshare-user",),
        ("--disable-userns",),
        ("--die-with-parent",),
        ("--new-session",),
        ("--clearenv",),
        ("--cap-drop", "ALL"),
    ]
    assert ("--uid", "1000") in found
    assert ("--gid", "1000") in found
    assert found[-2:] == [("--seccomp", "10"), ("--json-status-fd", "11")]
    assert ("--share-net",) not in found


@pytest.mark.parametrize("given", ALL)
def test_no_destination_lies_below_the_workspace(given: dict[str, Any]) -> None:
    # CVE-2026-87766: a link planted there would be followed.
    found = destinations(**given)
    assert found.count(WORKSPACE) == 1
    assert not [each for each in found if each.startswith(f"{WORKSPACE}/")]
    assert not [each for each in found if ".." in each or not each.startswith("/")]


@pytest.mark.parametrize("given", ALL)
def test_nothing_of_the_host_is_there_but_its_programs(given: dict[str, Any]) -> None:
    bound = {each[1] for each in options(**given) if each[0] == "--ro-bind"}
    assert bound <= {"/usr", "/etc/alternatives", *(f"/{name}" for name in HOST_DIRECTORIES)}
    for place in ("/sys", "/run", "/var", "/home", "/root", "/boot", "/mnt", "/media", "/srv"):
        assert not [each for each in destinations(**given) if each == place or each.startswith(f"{place}/")]
    # Where the interpreter lies is not even named: it is bound by its descriptor.
    assert "/home/ada" not in repr(options(**given))


@pytest.mark.parametrize("given", ALL)
def test_what_can_be_written_is_in_memory_and_bounded_but_for_the_workspace(given: dict[str, Any]) -> None:
    found = options(**given)
    scratch = ["/tmp", "/dev/shm", *([WORKSPACE] if given.get("workspace_fd") is None else [])]
    for place, option in enumerate(found):
        if option[0] == "--tmpfs":
            assert option[1] in scratch
            assert found[place - 2 : place] == [("--size", "12345"), ("--perms", "0700")]
            scratch.remove(option[1])
    assert scratch == []
    writable = [each for each in found if each[0].startswith("--bind")]
    assert writable == ([("--bind-fd", "30", WORKSPACE)] if given.get("may_write") else [])
    closed = [each[1] for each in found if each[0] == "--remount-ro"]
    assert closed == ["/dev", "/"]
    # After the last mount, for what is mounted later would be open.
    assert max(place for place, each in enumerate(found) if each[0] in (*DESTINATIONS, "--tmpfs")) < found.index(
        ("--remount-ro", "/dev")
    )


def test_the_environment_is_small_and_set_after_it_was_cleared() -> None:
    found = options()
    environment = {each[1]: each[2] for each in found if each[0] == "--setenv"}
    assert environment == Bubblewrap.environment()
    assert environment == {"HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": "/tmp"}


def test_files_are_made_from_descriptors_and_nobody_may_write_them() -> None:
    found = options()
    place = found.index(("--ro-bind-data", "20", "/etc/passwd"))
    assert found[place - 1] == ("--perms", "0444")
    assert ("--ro-bind-data", "21", f"{PACKAGE}/mcp_server/runner.py") in found


def test_the_made_accounts_are_none_of_the_hosts() -> None:
    names = {line.split(b":")[0] for line in ETC["passwd"].splitlines()}
    assert names == {b"user", b"nobody"}
    assert {line.split(b":")[2] for line in ETC["passwd"].splitlines()} == {b"1000", b"65534"}


def test_only_who_asks_for_it_shares_the_network() -> None:
    found = options(shares_network=True)
    assert found.index(("--share-net",)) > found.index(("--unshare-all",))


def test_directories_beside_usr_are_links_where_they_are_links(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"/bin": "link", "/lib": "directory"}
    monkeypatch.setattr(os.path, "islink", lambda path: kinds.get(path) == "link")
    monkeypatch.setattr(os.path, "isdir", lambda path: kinds.get(path) == "directory")
    monkeypatch.setattr(os, "readlink", lambda path: f"usr{path}")
    found = options()
    assert ("--symlink", "usr/bin", "/bin") in found
    assert ("--ro-bind", "/lib", "/lib") in found
    assert "/lib64" not in destinations()


def test_the_program_is_named_by_its_place_and_looked_at() -> None:
    assert PROGRAM == Bubblewrap().program == "/usr/bin/bwrap"
    assert (Bubblewrap().problem() is None) == Path(PROGRAM).exists()
    assert Bubblewrap("/nosuch").problem() == "/nosuch is not installed; install the package 'bubblewrap'"
    assert "no program" in str(Bubblewrap("/usr").problem())
    assert "no program" in str(Bubblewrap("/dev/null").problem())
