"""Looking at a machine's way to root."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.root_actions import PATH, QUESTION_SECONDS, SUDO
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.isolation.sudo_diagnosis import SudoDiagnosis
from mcp_server.resources.isolation.sudo_rule import SudoRule
from mcp_server.resources.isolation.trusted_path import path_problem

MAX_COMMANDS: Final = 64
"""Commands of one action that sudo is asked about."""

FLAWS: Final = (
    ("CVE-2025-32463", (1, 9, 14, 0), (1, 9, 17, 1), "lets everybody become root"),
    ("CVE-2025-32462", (1, 8, 8, 0), (1, 9, 17, 1), "lets rules for other hosts count"),
)
"""Name, first version that has it, first that has it not, and what it does. Source: sudo.ws, "Security Advisories"."""

_VERSION: Final = re.compile(r"Sudo version (\d+)\.(\d+)(?:\.(\d+))?(?:p(\d+))?", re.ASCII)
_DEFAULTS: Final = re.compile(r"Matching Defaults entries.*?:\n((?:[ \t]+.*\n)+)")


class SudoCheck:
    """Look whether root actions would run, and whether sudo lets exactly these be run and nothing else.

    Asks sudo as the user who runs this, who should be the user that runs the server. Runs none of the actions.

    Args:
        config: The policy's actions.
        tier: What holds on this machine.
        user: The user id.
        ask: Runs a command, and returns its exit code and its standard output.
        trust: Says what is wrong with a path.
        sudo: The program.
    """

    def __init__(
        self,
        *,
        config: SudoConfig,
        tier: IsolationTier,
        user: int | None = None,
        ask: Callable[[Sequence[str]], tuple[int, str]] | None = None,
        trust: Callable[[str], str | None] = path_problem,
        sudo: str = SUDO,
    ) -> None:
        self._config = config
        self._tier = tier
        self._user = os.getuid() if user is None else user
        self._ask = ask or _ask
        self._trust = trust
        self._sudo = sudo

    def examine(self) -> SudoDiagnosis:
        """Return what was found; does not look where there is nothing to be found."""
        if self._user == 0:
            told = ("root actions are refused while the server runs as root; run it as an ordinary user",)
            return SudoDiagnosis(problems=told if self._config.is_enabled else ())
        problem = self._trust(self._sudo)
        if problem is not None:
            return SudoDiagnosis(problems=(problem,) if self._config.is_enabled else ())
        code, listing = self._ask([self._sudo, "-n", "-l", "-l"])
        rules = SudoRule.read_all(listing) if code == 0 else ()
        problems: list[str] = []
        if self._tier is IsolationTier.LSM and any(rule.is_passwordless for rule in rules):
            problems.append(
                "the user who runs the server may run commands as root without a password, and the tier is 'lsm': what "
                "runs in a sandbox runs as this user, and only no_new_privs keeps it from sudo; take the NOPASSWD "
                "rules away, or mend the tier"
            )
        if not self._config.is_enabled:
            return SudoDiagnosis(tuple(problems))
        if self._tier < IsolationTier.NS:
            problems.append(f"root actions are refused: they need tier 'ns', and this is {self._tier.label!r}")
        problems += self._loose(rules)
        problems += self._defaults(listing)
        for action in self._config.actions.values():
            problems += self._uncovered(action, rules)
        return SudoDiagnosis(tuple(problems), (*self._flaws(), *self._slow(rules)))

    def _loose(self, rules: Sequence[SudoRule]) -> Iterator[str]:
        """Yield what sudo lets this user run beyond the actions."""
        for rule in rules:
            if not rule.is_passwordless:
                continue
            if "ALL" in rule.run_as:
                yield f"sudoers lets {', '.join(rule.commands)} be run as every user; write (root)"
            if "setenv" in rule.options:
                yield f"sudoers lets the environment of {', '.join(rule.commands)} be set; take SETENV away"
            for command in rule.commands:
                looseness = SudoRule.looseness(command)
                if looseness is not None:
                    yield f"the sudoers rule {command!r} is not exact: {looseness}"
                elif not any(self._is_of(action, command) for action in self._config.actions.values()):
                    yield f"the sudoers rule {command!r} belongs to no action of the policy; take it away"

    @staticmethod
    def _is_of(action: RootAction, command: str) -> bool:
        if SudoRule.program(command) != action.program:
            return False
        commands = action.commands()
        # Of a form that no list could exhaust, or of a rule that is an expression, the program is what can be compared.
        if commands is None or command.partition(" ")[2].startswith("^"):
            return True
        return any(SudoRule.is_exactly(command, each) for each in islice(commands, MAX_COMMANDS))

    @staticmethod
    def _defaults(listing: str) -> Iterator[str]:
        found = _DEFAULTS.search(listing)
        words = [] if found is None else [each.strip() for each in found[1].replace("\n", " ").split(",")]
        for word, meaning in (
            ("!env_reset", "the environment of whoever calls is kept"),
            ("setenv", "the environment can be set"),
            ("!authenticate", "no rule asks for a password"),
        ):
            if word in words:
                yield f"the sudoers option {word} is set: {meaning}"

    def _uncovered(self, action: RootAction, rules: Sequence[SudoRule]) -> Iterator[str]:
        """Yield what keeps an action from being run."""
        problem = self._trust(action.program)
        if problem is not None:
            yield f"the action {action.name!r}: {problem}"
        own = [rule for rule in rules if action.program in map(SudoRule.program, rule.commands)]
        if not any(rule.is_passwordless for rule in own):
            yield f"the action {action.name!r}: sudoers has no NOPASSWD rule for {action.program}"
            return
        for command in islice(action.commands() or (), MAX_COMMANDS):
            code, _ = self._ask([self._sudo, "-n", "-l", "--", *command])
            if code != 0:
                yield f"the action {action.name!r}: sudo does not let {shlex.join(command)} be run"

    def _flaws(self) -> Iterator[str]:
        code, said = self._ask([self._sudo, "-V"])
        found = _VERSION.search(said) if code == 0 else None
        if found is None:
            first = said.strip().partition("\n")[0]
            yield f"this sudo tells no version that is known here: {first!r}; look yourself whether it is mended"
            return
        version = tuple(int(number or 0) for number in found.groups())
        for name, first_bad, first_good, meaning in FLAWS:
            if first_bad <= version < first_good:
                yield (
                    f"{found[0]} may have {name}, which {meaning}; distributions mend it under the same number, so "
                    "look for it in the changelog of your package"
                )

    def _slow(self, rules: Sequence[SudoRule]) -> Iterator[str]:
        programs = {action.program for action in self._config.actions.values()}
        for rule in rules:
            for command in rule.commands:
                if rule.is_passwordless and not rule.has_timeout and SudoRule.program(command) in programs:
                    yield (
                        f"the sudoers rule {command!r} has no TIMEOUT=: if the server is killed, nobody ends what "
                        "takes too long"
                    )


def _ask(command: Sequence[str]) -> tuple[int, str]:
    """Run a command that asks nothing, in the environment that root actions have."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd="/",
            env={"PATH": PATH},
            timeout=QUESTION_SECONDS,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 1, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")
