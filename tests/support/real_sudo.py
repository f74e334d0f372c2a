"""The machine's own sudo, for a user whom a file in sudoers.d lets do something for as long as a test runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mcp_server.resources.isolation import gated_start
from mcp_server.resources.isolation.interpreter import Interpreter, is_reachable
from mcp_server.resources.isolation.root_actions import SUDO
from mcp_server.resources.isolation.trusted_path import path_problem
from mcp_server.resources.kernel.cgroup_directory import mounted_groups, own_groups, place_in

NOBODY: Final = 65534

STUBBORN: Final = """#!/bin/sh
trap '' TERM HUP INT ALRM
echo up
/usr/bin/sleep {seconds} &
while :; do /usr/bin/sleep {seconds}; done
"""
"""A program that does not want to end, with a child."""


class RealSudo:
    """Rules for the user nobody, a directory of programs of root's, and a server of nobody's that uses both.

    Args:
        rules: Lines of sudoers, without the user; `{stubborn}` is the path of a program that does not want to end.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        # Not below /tmp, where everybody can write.
        self.directory = Path(tempfile.mkdtemp(prefix="mcp-server-test-", dir="/var/lib"))
        self.directory.chmod(0o755)
        self.stubborn = self.directory / "stubborn"
        # A number that nobody else on this machine sleeps for.
        self._seconds = f"300.{int.from_bytes(os.urandom(6)):015d}"
        self.stubborn.write_text(STUBBORN.format(seconds=self._seconds))
        self.stubborn.chmod(0o755)
        self._rules = Path(f"/etc/sudoers.d/mcp_server_test_{os.getpid()}")
        try:
            text = "".join(f"#{NOBODY} ALL={rule.format(stubborn=self.stubborn)}\n" for rule in rules)
            draft = self.directory / "rules"
            draft.write_text(text)
            draft.chmod(0o440)
            # What sudo cannot read would keep everybody from using it.
            subprocess.run(["/usr/sbin/visudo", "-c", "-q", "-f", str(draft)], check=True, capture_output=True)
            shutil.copyfile(draft, self._rules)
            self._rules.chmod(0o440)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def is_there() -> bool:
        """Whether all that is needed is there: root, sudo, and a Python of this age that nobody may run."""
        if os.getuid() != 0 or path_problem(SUDO) is not None or not os.path.isdir("/etc/sudoers.d"):
            return False
        if "NoNewPrivs:\t0" not in Path("/proc/self/status").read_text() or not os.stat(SUDO).st_mode & 0o4000:
            return False
        try:
            python = Interpreter.find(for_others=True).host_program
        except ValueError:
            return False
        asked = "import sys; sys.exit(sys.version_info < (3, 11))"
        is_new = subprocess.run([python, "-I", "-c", asked], check=False).returncode == 0
        return is_new and is_reachable(gated_start.__file__, executable=False)

    def serve(
        self, actions: Mapping[str, Mapping[str, Any]], calls: Sequence[Sequence[Any]], *, group: str | None = None
    ) -> dict[str, Any]:
        """Let nobody's server do calls, each a name, values, and after how many seconds it is taken back or None."""
        asked = {"user": NOBODY, "group": group, "actions": actions, "calls": calls}
        done = subprocess.run(
            [Interpreter.find(for_others=True).host_program, "-B", "-m", "tests.support.root_action_child"],
            input=json.dumps(asked),
            cwd=Path(__file__).parents[2],
            env={"PATH": "/usr/bin:/bin", "SECRET": "swordfish"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def left(self) -> list[int]:
        """Return the processes of the program that does not want to end, and of its children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if os.fsencode(self.stubborn) in words or words[:2] == [b"/usr/bin/sleep", self._seconds.encode()]:
                    found.append(int(entry.name))
        return found

    def close(self) -> None:
        """Take the rules away, and everything else."""
        self._rules.unlink(missing_ok=True)
        for pid in self.left():
            os.kill(pid, 9)
        shutil.rmtree(self.directory)

    @staticmethod
    def group_place() -> str | None:
        """Return a control group of version 2 below which groups can be made and killed, None where there is none."""
        path = own_groups("/proc/self").get("")
        places = [place_in(path, *mount[:2]) for mount in mounted_groups("/proc/self", "cgroup2")] if path else []
        place = next(filter(None, places), None)
        if os.getuid() != 0 or place is None:
            return None
        probe = f"{place}/mcp-server-probe-{os.getpid()}"
        try:
            os.mkdir(probe)
        except OSError:
            return None
        can_kill = os.path.exists(f"{probe}/cgroup.kill")
        os.rmdir(probe)
        return place if can_kill else None
