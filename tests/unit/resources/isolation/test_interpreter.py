from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.resources.isolation.interpreter import INSIDE, Interpreter


def test_one_of_the_system_stays_where_it_is() -> None:
    interpreter = Interpreter.of("/usr", "/usr/bin/python3.11")
    assert (interpreter.prefix, interpreter.program, interpreter.host_program) == (
        None,
        "/usr/bin/python3.11",
        "/usr/bin/python3.11",
    )


def test_the_place_of_another_is_nobodys_business_inside() -> None:
    interpreter = Interpreter.of("/home/ada/py", "/home/ada/py/bin/python3.12")
    assert interpreter.prefix == "/home/ada/py"
    assert interpreter.program == f"{INSIDE}/bin/python3.12"
    assert interpreter.host_program == "/home/ada/py/bin/python3.12"


@pytest.mark.parametrize("program", ["/opt/python3", "/home/ada/python/bin/python3", "/home/ada/py-evil/bin/python3"])
def test_one_beside_its_installation_is_refused(program: str) -> None:
    with pytest.raises(ValueError, match="own installation"):
        Interpreter.of("/home/ada/py", program)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that this interpreter seems to be of, in a directory that everybody may walk to."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            monkeypatch.setattr(os, "stat", walkable(os.stat, parent))
    prefix = tmp_path / "python"
    (prefix / "bin").mkdir(parents=True)
    program = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "base_prefix", str(prefix))
    return program


def walkable(real: object, directory: Path) -> object:
    """Let one directory seem to be open to everybody: pytest's are not, and must not be made so."""

    def stat(path: object, **options: object) -> os.stat_result:
        found = real(path, **options)  # type: ignore[operator]
        if str(path) != str(directory):
            return found  # type: ignore[no-any-return]
        return os.stat_result((found.st_mode | 0o111, *found[1:]))

    return stat


def test_the_servers_own_is_taken(installation: Path) -> None:
    for for_others in (False, True):
        found = Interpreter.find(for_others=for_others)
        assert found.host_program == str(installation)
        assert found.program == f"{INSIDE}/bin/{installation.name}"


def test_one_that_others_cannot_run_is_not_for_them(installation: Path) -> None:
    installation.chmod(0o700)
    assert Interpreter.find(for_others=False).host_program == str(installation)
    if Path("/usr/bin/python3").exists():
        assert Interpreter.find(for_others=True).prefix is None
    installation.chmod(0o755)
    installation.parent.chmod(0o700)
    if Path("/usr/bin/python3").exists():
        assert Interpreter.find(for_others=True).prefix is None


def test_one_whose_name_leads_out_of_its_installation_is_not_taken(installation: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("#!/bin/sh\n")
    (tmp_path / "elsewhere").chmod(0o755)
    installation.unlink()
    installation.symlink_to(tmp_path / "elsewhere")
    if Path("/usr/bin/python3").exists():
        assert Interpreter.find(for_others=False).prefix is None


def test_without_any_it_is_said_what_to_install(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match="install the system's python3"):
        Interpreter.find(for_others=False)


def test_a_virtual_environment_is_left_out() -> None:
    found = Interpreter.find(for_others=os.getuid() == 0)
    command = [found.host_program, "-I", "-S", "-c", "import sys; print(sys.prefix == sys.base_prefix)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
