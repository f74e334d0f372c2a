"""What the server has in memory, on its command lines and open is not there for what it runs."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tests.security.isolation.attack_code import CALLS
from tests.security.isolation.sandbox_rig import SandboxRig, rig_with

SEARCH = """
import json, os, sys
word, name = sys.argv[1].encode(), sys.argv[2]
found = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            if word in file.read():
                found.append(pid)
    except OSError:
        pass
print(json.dumps({"found": found, "own": word.decode() in "".join(os.environ.values())}))
"""

DESCRIPTORS = """
import json, os
def readable(path):
    try:
        with open(path, "rb") as file:
            return b"canary" in file.read(100)
    except OSError:
        return False
found = []
for number in range(3, 200):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
stolen = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        continue
    stolen += [f"{pid}/{number}" for number in numbers if int(number) > 2 and readable(f"/proc/{pid}/fd/{number}")]
print(json.dumps({"open": found, "stolen": stolen}))
"""


def test_b01_the_environment_of_the_server_is_nowhere_in_proc(rig: SandboxRig) -> None:
    word = secrets.token_hex(16)
    os.environ["SERVER_SECRET"] = word
    try:
        nothing = {"found": [], "own": False}
        assert rig.reached(SEARCH, arguments=(word, "environ")) == nothing
        assert rig.reached(SEARCH, arguments=(word, "environ"), may_execute=True) == nothing
        # With Landlock alone it would be hidden; an empty environment is what makes it absent.
        with rig_with(landlock=False) as bare:
            assert bare.reached(SEARCH, arguments=(word, "environ")) == nothing
    finally:
        del os.environ["SERVER_SECRET"]
    with rig_with(before=("/usr/bin/env", f"SERVER_SECRET={word}"), landlock=False) as bare:
        # `--clearenv` is in place here: the first process has what bubblewrap was started with.
        assert "1" in bare.reached(SEARCH, arguments=(word, "environ"))["found"]


def test_b02_the_options_of_the_sandbox_are_on_no_command_line(rig: SandboxRig) -> None:
    word = secrets.token_hex(16)
    extra = ("--setenv", "TOKEN", word)
    with rig_with(extra=extra) as given:
        # What the snippet is told itself is not looked for: it has no arguments of its own on a command line.
        assert given.reached(SEARCH, arguments=(word, "cmdline"))["found"] == []
    with rig_with(extra=extra, spelt_out=True) as bare:
        assert "1" in bare.reached(SEARCH, arguments=(word, "cmdline"))["found"]
    shown = rig.run_program("/bin/cat", "/proc/1/cmdline").stdout.text()
    assert "--args" in shown
    assert "workspace" not in shown
    assert str(Path(__file__).parents[3]) not in shown


def test_b03_no_descriptor_but_the_three_streams_is_open(rig: SandboxRig, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    leaked = os.open(tmp_path / "secret", os.O_RDONLY)
    try:
        nothing = {"open": [], "stolen": []}
        assert rig.reached(DESCRIPTORS) == nothing
        # Even where the server leaves one open: the runner closes it, and what has it cannot be looked into.
        with rig_with(descriptors=(leaked,)) as careless:
            assert careless.reached(DESCRIPTORS) == nothing
            assert careless.reached(DESCRIPTORS, may_execute=True) == nothing
            shown = careless.run_program("/bin/sh", "-c", "for each in /proc/self/fd/*; do echo $each; done")
            # The fourth is the shell's own, through which it reads the directory.
            assert shown.stdout.text().split() == [f"/proc/self/fd/{number}" for number in range(4)]
        left_open = rig_with(
            descriptors=(leaked,), runner=lambda text: text.replace("self._close_range.close(3)", "pass")
        )
        with left_open as bare:
            assert leaked in bare.reached(DESCRIPTORS)["open"]
    finally:
        os.close(leaked)


def test_b03_what_the_first_process_has_open_is_not_taken_from_it() -> None:
    code = CALLS + "print(json.dumps({'pidfd_getfd': call('pidfd_getfd', os.pidfd_open(1), 0, 0)}))"
    with rig_with(landlock=False) as filtered:
        assert filtered.reached(code) == {"pidfd_getfd": "EPERM"}
    with rig_with(base_filter=None) as landlocked:
        assert landlocked.reached(code) == {"pidfd_getfd": "EPERM"}
    with rig_with(landlock=False, base_filter=None) as bare:
        assert bare.reached(code) == {"pidfd_getfd": "done"}
