"""What can be written, executed and imported inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from tests.security.isolation.attack_code import CALLS
from tests.security.isolation.sandbox_rig import SandboxRig, opened, rig_with

WRITING = (
    CALLS
    + """
def write(directory):
    with open(f"{directory}/planted", "x") as file:
        file.write("x")
    os.unlink(f"{directory}/planted")

places = ["/", "/bin", "/dev", "/etc", "/lib", "/opt", "/opt/mcp-server", "/proc", "/proc/sys/kernel", "/sbin", "/usr",
          "/usr/bin", "/usr/lib/python3", "/dev/pts", "/dev/shm", "/tmp", "/workspace", *sys.argv[1:]]
print(json.dumps({place: attempt(write, place) for place in places}))
"""
)
DENIED = {"EACCES", "EROFS", "ENOENT", "EPERM", "ENOTDIR"}


def test_b11_nothing_can_be_written_but_what_is_there_for_it(rig: SandboxRig, folder: Path) -> None:
    def writable(**options: object) -> set[str]:
        found = rig.reached(WRITING, **options)
        assert set(found.values()) <= DENIED | {"done"}, found
        return {place for place, told in found.items() if told == "done"}

    assert writable() == {"/dev/shm", "/tmp"}
    assert writable(may_write=True) == {"/dev/shm", "/tmp", "/workspace"}
    assert writable(may_write=True, may_execute=True) == {"/dev/shm", "/tmp", "/workspace"}
    with opened(folder) as workspace:
        assert writable(workspace=workspace) == {"/dev/shm", "/tmp"}
        assert writable(workspace=workspace, may_write=True) == {"/dev/shm", "/tmp", "/workspace"}


def test_b11_without_landlock_the_mounts_say_the_same() -> None:
    with rig_with(landlock=False) as mounted:
        found = mounted.reached(WRITING)
        # The empty workspace is nobody's but its own, and in memory.
        assert {place for place, told in found.items() if told == "done"} == {"/dev/shm", "/tmp", "/workspace"}
    with rig_with(landlock=False, without=("--remount-ro", "--remount-ro")) as bare:
        found = bare.reached(WRITING)
        assert (found["/"], found["/etc"], found["/opt"], found["/dev"]) == ("done",) * 4


def test_b11_a_workspace_that_may_only_be_read_is_mounted_so(folder: Path) -> None:
    with rig_with(landlock=False) as mounted, opened(folder) as workspace:
        assert mounted.reached(WRITING, workspace=workspace)["/workspace"] == "EROFS"
        assert mounted.reached(WRITING, workspace=workspace, may_write=True)["/workspace"] == "done"
    assert list(folder.iterdir()) == []


EXECUTING = (
    CALLS
    + """
import shutil
def run(path):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, [path])
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status, "")

def without_fork(path):
    "Where no process can be made, this one would become the program, and its exit code tell it."
    os.execv(path, [path])

def dropped(name, directory):
    path = f"{directory}/{name}"
    if name == "script":
        with open(path, "w") as file:
            file.write("#!/bin/sh\\nexit 0\\n")
    else:
        shutil.copyfile("/bin/true", path)
    os.chmod(path, 0o700)
    return path

def in_memory():
    if call("memfd_create", b"x", 0) == "done":
        number = os.memfd_create("x")
        with open("/bin/true", "rb") as program:
            os.write(number, program.read())
        run(f"/proc/self/fd/{number}")
    else:
        raise PermissionError(errno.EPERM, "")

found = {}
for directory in sys.argv[1:]:
    for name in ("script", "program"):
        found[f"{name} in {directory}"] = attempt(run, dropped(name, directory))
        if found[f"{name} in {directory}"] == "EPERM":
            found[f"{name} in {directory}"] = attempt(without_fork, dropped(name, directory))
found["of the system"] = attempt(run, "/bin/true")
found["in memory"] = attempt(in_memory)
print(json.dumps(found))
"""
)
PLACES = ("/tmp", "/dev/shm", "/workspace")


def test_b12_a_snippet_executes_nothing_wherever_it_lies(rig: SandboxRig) -> None:
    found = rig.reached(EXECUTING, arguments=PLACES, may_write=True)
    assert set(found.values()) <= {"EPERM", "EACCES"}
    # The filter that takes programs away, and Landlock, each suffice.
    with rig_with(second_filter=False) as landlocked:
        found = landlocked.reached(EXECUTING, arguments=PLACES, may_write=True)
        assert set(found.values()) <= {"EPERM", "EACCES"}
    with rig_with(landlock=False) as filtered:
        found = filtered.reached(EXECUTING, arguments=PLACES, may_write=True)
        assert set(found.values()) == {"EPERM"}
    with rig_with(landlock=False, second_filter=False) as bare:
        found = bare.reached(EXECUTING, arguments=PLACES, may_write=True)
        # A file without a name is the business of the filter below.
        assert (found.pop("in memory"), set(found.values())) == ("EPERM", {"done"})
    with rig_with(landlock=False, second_filter=False, base_filter=None) as open_to_all:
        assert open_to_all.reached(EXECUTING, arguments=PLACES, may_write=True)["in memory"] == "done"


def test_b12_with_permission_programs_run_but_for_those_without_a_name(rig: SandboxRig, folder: Path) -> None:
    with opened(folder) as workspace:
        found = rig.reached(EXECUTING, arguments=PLACES, workspace=workspace, may_write=True, may_execute=True)
    assert (found.pop("in memory"), set(found.values())) == ("EPERM", {"done"})


IMPORTING = """
import json, os, sys
import colorsys, textwrap
modules = [each.__file__ for each in (json, colorsys, textwrap)]
planted = [each for each in sys.path if not each.startswith(("/usr", "/opt/python"))]
print(json.dumps({"from": modules, "path": planted, "planted": "PLANTED" in os.environ, "site": "site" in sys.modules,
                  "ours": [each for each in sys.modules if each.startswith("mcp_server")]}))
"""
PLANTED = "import os\nos.environ['PLANTED'] = '1'\n__file__ = '/workspace/planted'\n"


def test_b15_nothing_planted_in_the_workspace_is_imported(rig: SandboxRig, folder: Path) -> None:
    for name in ("json", "colorsys", "textwrap", "sitecustomize", "usercustomize", "ctypes", "threading"):
        (folder / f"{name}.py").write_text(PLANTED)
    (folder / "planted.pth").write_text("import os; os.environ['PLANTED'] = '1'\n")
    with opened(folder) as workspace:
        found = rig.reached(IMPORTING, workspace=workspace)
        assert all(each.startswith(("/usr/", "/opt/python/")) for each in found.pop("from"))
        assert found == {"path": [], "planted": False, "site": False, "ours": []}
        # The same program, as somebody would run it who does not think of it.
        (folder / "main.py").write_text(IMPORTING.replace("json.dumps", "repr"))
        shown = rig.run_program("/usr/bin/python3", "main.py", workspace=workspace)
        assert "'planted': True" in shown.stdout.text(), shown.stderr.text()


@pytest.mark.parametrize(
    "text", ["; touch planted", "$(touch planted)", "`touch planted`", "| touch planted", "*\n&& x"]
)
def test_b16_what_a_shell_would_act_on_stays_text(text: str, rig: SandboxRig, folder: Path) -> None:
    with opened(folder) as workspace:
        shown = rig.run_program("/bin/echo", "-n", text, workspace=workspace, may_write=True)
        assert shown.stdout.text() == text
        assert list(folder.iterdir()) == []
        code = "import sys; print(sys.argv[1], end='')"
        assert rig.run_python(code, arguments=(text,), workspace=workspace).stdout.text() == text
        rig.run_program("/bin/sh", "-c", f"echo -n {text}", workspace=workspace, may_write=True)
        assert [each.name for each in folder.iterdir()] == ([] if "&& x" in text else ["planted"])


def test_b17_no_program_of_the_workspace_is_taken_for_one_of_the_system(rig: SandboxRig, folder: Path) -> None:
    (folder / "git").write_text("#!/bin/sh\necho planted\n")
    (folder / "git").chmod(0o755)
    with opened(folder) as workspace:
        with pytest.raises(ValueError, match="absolute path"):
            rig.run_program("git", "--version", workspace=workspace)
        shown = rig.run_program("/bin/sh", "-c", "git --version; env git --version; echo $PATH", workspace=workspace)
        assert "planted" not in shown.stdout.text()
        assert shown.stdout.text().splitlines()[-1] == "/usr/bin:/bin"
        shown = rig.run_program("/usr/bin/env", "PATH=/workspace", "git", "--version", workspace=workspace)
        assert shown.stdout.text() == "planted\n"
    with pytest.raises(ValueError, match="PATH"):
        SandboxPolicy(environment={"PATH": "/workspace"})


def test_b18_no_variable_changes_what_is_executed(rig: SandboxRig, folder: Path) -> None:
    (folder / "planted.sh").write_text("echo planted\n")
    harmless = {"LC_ALL": "C", "TZ": "UTC"}
    with opened(folder) as workspace:
        shown = rig.run_program("/usr/bin/env", environment=harmless)
        assert dict(line.split("=", 1) for line in shown.stdout.text().splitlines()) == {
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "LC_ALL": "C",
            "PATH": "/usr/bin:/bin",
            "TMPDIR": "/tmp",
            "TZ": "UTC",
        }
        with pytest.raises(ValueError, match="BASH_ENV"):
            rig.run_program("/bin/bash", "-c", "true", environment={"BASH_ENV": "planted.sh"}, workspace=workspace)

        def poison(job: dict[str, dict[str, str]]) -> None:
            job["environment"]["BASH_ENV"] = "planted.sh"

        with rig_with(job=poison) as bare:
            shown = bare.run_program("/bin/bash", "-c", "true", workspace=workspace)
            assert shown.stdout.text() == "planted\n"


CRASH = 'kill -ABRT "$$"'


def test_b20_a_crash_writes_nothing(rig: SandboxRig, folder: Path) -> None:
    with opened(folder) as workspace:
        crashed = rig.run_program("/bin/sh", "-c", CRASH, workspace=workspace, may_write=True)
        assert crashed.reason is EndReason.SIGNAL
        snippet = rig.run_python("import os; os.abort()", workspace=workspace, may_write=True)
        assert snippet.reason is EndReason.SIGNAL
        assert list(folder.iterdir()) == []
        # A snippet's memory is not even for a program that the host runs at a crash.
        status = "import json; print(json.dumps([line for line in open('/proc/self/limits') if 'core' in line]))"
        assert json.loads(rig.run_python(status).stdout.text())[0].split()[4:6] in (["0", "0"], ["1", "1"])

        def dumping(job: dict[str, dict[str, int]]) -> None:
            del job["limits"]["core_bytes"]

        with rig_with(job=dumping) as bare:
            limit = bare.run_program("/bin/sh", "-c", "ulimit -c").stdout.text().strip()
            bare.run_program("/bin/sh", "-c", CRASH, workspace=workspace, may_write=True)
        into_a_file = not Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/"))
        assert bool(list(folder.iterdir())) == (limit != "0" and into_a_file)
