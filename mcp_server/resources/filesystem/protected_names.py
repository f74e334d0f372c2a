"""Names that tools do not write, because somebody else runs or trusts what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem.glob_pattern import name_matches
from mcp_server.resources.filesystem.names import folded

_MAX_PATTERN_PARTS: Final = 8

# Each of these turns a write into something else: a command that runs at the next commit, login or start of an editor,
# a server an AI client trusts, or a secret.
PROTECTED_NAMES: Final = (
    ".git/hooks/**", ".git/config", ".git/config.worktree", ".git/info/attributes", ".git/modules/**", ".git/commondir",
    ".gitconfig", ".gitmodules", ".config/git/**", ".husky/**",
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".inputrc",
    ".zshrc", ".zprofile", ".zshenv", ".zlogin", ".zlogout", ".kshrc", ".cshrc", ".tcshrc", ".login", ".logout",
    ".config/fish/**", ".xprofile", ".xsessionrc", ".xinitrc", ".pam_environment", ".envrc",
    ".config/autostart/**", ".config/systemd/**", ".config/environment.d/**", ".local/share/systemd/**",
    ".mcp.json", ".claude.json", ".claude/settings.json", ".claude/settings.local.json", ".claude/hooks/**",
    ".claude/commands/**", ".claude/agents/**", ".cursor/mcp.json", ".codex/**", ".gemini/settings.json",
    "claude_desktop_config.json", ".vscode/mcp.json", ".vscode/settings.json", ".vscode/tasks.json",
    ".vscode/launch.json", ".devcontainer/**",
    ".env", ".env.local", ".env.development", ".env.production", ".env.staging", ".env.test", ".netrc", ".pgpass",
    ".npmrc", ".pypirc", ".ssh/**", ".gnupg/**", ".aws/**", ".kube/**", ".docker/config.json",
)  # fmt: skip


class ProtectedNames:
    """A list of patterns that hold at any depth: `a/b` is met by every path that ends so, `a/**` by all below as well.

    Compared as written and once more in NFC without case, so that `.ENV` or a decomposed spelling is no way round on
    file systems, archives and other machines that take them for the same.

    Args:
        patterns: Names joined by `/`, each with `*` and `?`; only the last may be `**`.

    Raises:
        ConfigurationError: A pattern is empty, has `**` elsewhere or more than eight names.

    >>> names = ProtectedNames([".git/hooks/**", ".env"])
    >>> names.covers(("deep", ".git", "hooks", "pre-commit")), names.covers((".ENV",)), names.covers(("env",))
    (True, True, False)
    >>> names.leads_to(("deep", ".git")), names.leads_to(("deep",))
    (True, False)
    """

    __slots__ = ("_literal", "_literal_trees", "_prefixes", "_wild")

    def __init__(self, patterns: Iterable[str] = PROTECTED_NAMES) -> None:
        literal: set[tuple[str, ...]] = set()
        literal_trees: set[tuple[str, ...]] = set()
        wild: list[tuple[tuple[str, ...], bool]] = []
        prefixes: set[tuple[str, ...]] = set()
        for pattern in patterns:
            parts = tuple(folded(part) for part in pattern.split("/") if part)
            is_tree = bool(parts) and parts[-1] == "**"
            parts = parts[:-1] if is_tree else parts
            if not parts or "**" in parts or len(parts) > _MAX_PATTERN_PARTS:
                raise ConfigurationError(f"a protected name is 'a', 'a/b' or 'a/**', not {pattern!r}")
            prefixes.update(parts[:length] for length in range(1, len(parts)))
            if any(character in "*?[" for character in pattern.removesuffix("/**")):
                wild.append((parts, is_tree))
            else:
                (literal_trees if is_tree else literal).add(parts)
        self._literal = frozenset(literal)
        self._literal_trees = frozenset(literal_trees)
        self._wild = tuple(wild)
        self._prefixes = tuple(sorted(prefixes))

    def covers(self, parts: Sequence[str]) -> bool:
        """Return whether the path made of `parts` is protected."""
        names = tuple(folded(part) for part in parts)
        length = len(names)
        for start in range(length):
            if names[start:] in self._literal:
                return True
            # A pattern has few names, so only short runs can be one.
            for end in range(start + 1, min(length, start + _MAX_PATTERN_PARTS) + 1):
                if names[start:end] in self._literal_trees:
                    return True
        for pattern, is_tree in self._wild:
            ends = range(len(pattern), length + 1) if is_tree else (length,)
            if any(_ends_with(names[:end], pattern) for end in ends):
                return True
        return False

    def leads_to(self, parts: Sequence[str]) -> bool:
        """Return whether something protected would lie below `parts` by its own last names, as with `.git`.

        Moving such a directory away, or another one into its place, would change what is protected without naming it.
        """
        names = tuple(folded(part) for part in parts)
        return any(_ends_with(names, prefix) for prefix in self._prefixes)


def _ends_with(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    return len(parts) >= len(pattern) and all(
        name_matches(wanted, name) for wanted, name in zip(pattern, parts[len(parts) - len(pattern) :], strict=True)
    )
