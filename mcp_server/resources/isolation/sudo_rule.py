"""One entry of what sudo lets a user run."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_WILD: Final = re.compile(r"(?<!\\)[*?\[]")
_LOOSE: Final = re.compile(r"(?<!\\)\.|\[\^|\.\*")
_DIGEST: Final = re.compile(r"sha(?:224|256|384|512):\S+\s+")
_VERSION: Final = re.compile(r"[-0-9.]+$")

SHELLS: Final = frozenset(
    """
    ash awk bash busybox csh dash ed emacs env expect find fish gawk gdb git irb ksh less lua make man mawk micro more
    most nano nawk nice node nohup nsenter perl php pico pip python rlwrap ruby script sed setarch sh ssh stdbuf strace
    su sudo sudoedit tcsh tclsh time timeout tmux screen unshare vi view vim vimdiff visudo watch wish xargs zsh
    """.split()
)
"""Programs that can be made to run anything: editors, pagers, shells, interpreters, and what runs others.

Source: GTFOBins, "sudo"."""


@dataclass(frozen=True, slots=True)
class SudoRule:
    """Who one may be, under which options, and which commands may be run.

    Args:
        run_as: The users.
        options: Options such as `!authenticate`, which sudoers writes `NOPASSWD`.
        commands: The commands, as sudo writes them.
        has_timeout: Whether sudo itself ends what takes too long.

    >>> rule = SudoRule(("root",), ("!authenticate",), ("/usr/bin/systemctl *",))
    >>> rule.is_passwordless, rule.looseness("/usr/bin/systemctl *")
    (True, 'it has a wildcard')
    """

    run_as: tuple[str, ...]
    options: tuple[str, ...]
    commands: tuple[str, ...]
    has_timeout: bool = False

    @property
    def is_passwordless(self) -> bool:
        """Whether nobody is asked for a password."""
        return "!authenticate" in self.options

    @classmethod
    def read_all(cls, listing: str) -> Sequence[Self]:
        r"""Return the rules that `sudo -n -l -l` lists.

        >>> text = "Sudoers entry:\n    RunAsUsers: root\n    Options: !authenticate\n    Commands:\n\t/usr/bin/id -u\n"
        >>> SudoRule.read_all(text)
        (SudoRule(run_as=('root',), options=('!authenticate',), commands=('/usr/bin/id -u',), has_timeout=False),)
        """
        rules: list[Self] = []
        members: dict[str, str] = {}
        commands: list[str] = []
        is_listing = False
        # A line that nothing precedes begins another entry; the last one is ended by one more.
        for line in [*listing.splitlines(), "end"]:
            text = line.strip()
            if line[:1].strip():
                if commands:
                    rules.append(
                        cls(
                            _words(members.get("RunAsUsers", "root")),
                            _words(members.get("Options", "")),
                            tuple(commands),
                            "Timeout" in members,
                        )
                    )
                members, commands, is_listing = {}, [], False
            elif text == "Commands:":
                is_listing = True
            elif is_listing and text:
                commands.append(text)
            elif ": " in text:
                key, _, value = text.partition(": ")
                members[key] = value
        return tuple(rules)

    @staticmethod
    def program(command: str) -> str:
        """Return the path of a command's program, or the word that stands in its place.

        >>> SudoRule.program("sha256:abcd /usr/bin/id -u")
        '/usr/bin/id'
        """
        return _plain(_DIGEST.sub("", command).partition(" ")[0])

    @staticmethod
    def is_exactly(command: str, wanted: Sequence[str]) -> bool:
        """Whether a command is this one, and no other.

        >>> SudoRule.is_exactly("/usr/bin/id -u", ["/usr/bin/id", "-u"])
        True
        """
        text = _DIGEST.sub("", command)
        if len(wanted) == 1:
            return text == f'{wanted[0]} ""'
        return _plain(text) == " ".join(wanted)

    @staticmethod
    def looseness(command: str) -> str | None:
        """Return why a command stands for more than one could wish for, None when it does not."""
        text = _DIGEST.sub("", command)
        program, _, arguments = text.partition(" ")
        name = os.path.basename(_plain(program))
        if program == "ALL" or text.startswith("ALL"):
            return "it is every command"
        if program.startswith("!"):
            return "it is an exclusion, which another name of the program gets around"
        if program in ("sudoedit", "list"):
            return "it is no command"
        if program.endswith("/"):
            return "it is every program of a directory"
        if name in SHELLS or _VERSION.sub("", name) in SHELLS:
            return "the program can be made to run anything"
        is_expression = arguments.startswith("^") and arguments.endswith("$")
        if _WILD.search(program) or program.startswith("^") or (not is_expression and _WILD.search(arguments)):
            return "it has a wildcard"
        if not arguments:
            return 'it takes any arguments; write "" where there are none'
        if is_expression and _LOOSE.search(arguments):
            return "its regular expression takes any character"
        return None


def _words(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
