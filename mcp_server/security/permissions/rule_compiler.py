"""From the text of a rule to patterns that can be matched."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.resource_patterns import compile_pattern
from mcp_server.security.permissions.resource_text import path_parts


class RuleCompiler:
    """Turn `TYPE pattern` into a `PolicyRule`.

    A type alone means everything: `**` for paths (in the client's folders, never outside), `*` for the rest.

    Args:
        home: The home directory that `~/` and `{home}/` stand for, None when there is none.
        realpath: Resolves links: what is compared is the path of an opened file, which holds none.
        matchers: The languages of patterns of the kinds of right that modules brought.

    >>> RuleCompiler().for_client("ada.allow[0]", Effect.ALLOW, "FILE_READ *.md", client="ada", folders=["/srv"],
    ...                           global_folders=[]).patterns[0].matches("/srv/a.md")
    True
    """

    def __init__(
        self,
        *,
        home: str | None = None,
        realpath: Callable[[str], str] = os.path.realpath,
        matchers: Mapping[PermissionType, str] | None = None,
    ) -> None:
        self._home = None if home is None else realpath(home)
        self._realpath = realpath
        self._matchers = matchers

    def for_client(
        self,
        rule_id: str,
        effect: Effect,
        text: str,
        *,
        client: str,
        folders: Sequence[str],
        global_folders: Sequence[str],
        line: int | None = None,
    ) -> PolicyRule:
        """Return a rule of a client's profile.

        Args:
            rule_id: The rule's id.
            effect: Allow, ask or deny.
            text: The rule as it was written.
            client: The client's name, for `{client}`.
            folders: Its own folders, canonical.
            global_folders: Its further folders, canonical.
            line: The rule's line.

        Raises:
            ConfigurationError: The rule says something that does not exist, or that can never match.
        """
        permission_type, written = _split(text)
        if not permission_type.is_path:
            opaque = compile_pattern(permission_type, written or "*", client=client, matchers=self._matchers)
            return PolicyRule(rule_id, effect, (permission_type,), text, (opaque,), line)
        if permission_type == PermissionType.FILE_WRITE_GLOBAL:
            places, kind = tuple(global_folders), "global_folders"
        else:
            places, kind = tuple(folders), "folders"
        pattern = PathPattern.compile(written or "**", client=client, home=self._home)
        if not pattern.is_absolute:
            if not places:
                raise ConfigurationError(f"{text!r} can never match: {client!r} has no {kind}")
            return PolicyRule(
                rule_id, effect, (permission_type,), text, tuple(pattern.under(place) for place in places), line
            )
        if permission_type not in (PermissionType.FILE_WRITE, PermissionType.FILE_WRITE_GLOBAL):
            places, kind = (*folders, *global_folders), "folders"
        patterns = self._resolved(pattern, effect)
        if not any(each.reaches(path_parts(place)[1]) for each in patterns for place in places):
            hint = ""
            if permission_type == PermissionType.FILE_WRITE and any(
                each.reaches(path_parts(place)[1]) for each in patterns for place in global_folders
            ):
                hint = "; in global_folders the right to write is FILE_WRITE_GLOBAL"
            raise ConfigurationError(f"{text!r} can never match: it lies outside the {kind} of {client!r}{hint}")
        return PolicyRule(rule_id, effect, (permission_type,), text, patterns, line)

    def for_everybody(self, rule_id: str, effect: Effect, text: str, *, line: int | None = None) -> PolicyRule:
        """Return a rule of the ceiling or of the default denials, which belong to no folder.

        A pattern begins at the root, or with `**` and holds anywhere.

        Args:
            rule_id: The rule's id.
            effect: Allow or deny.
            text: The rule as it was written.
            line: The rule's line.

        Raises:
            ConfigurationError: The rule says something that does not exist, or that is relative to nothing.
        """
        permission_type, written = _split(text)
        if not permission_type.is_path:
            opaque = compile_pattern(permission_type, written or "*", matchers=self._matchers)
            return PolicyRule(rule_id, effect, (permission_type,), text, (opaque,), line)
        pattern = PathPattern.compile(written or "**", home=self._home)
        if not pattern.is_absolute:
            if pattern.segments[0] != "**":
                raise ConfigurationError(
                    f"{text!r} is relative, and there is no folder here; begin with '/', '~/' or '**/'"
                )
            return PolicyRule(rule_id, effect, (permission_type,), text, (pattern.under("/"),), line)
        return PolicyRule(rule_id, effect, (permission_type,), text, self._resolved(pattern, effect), line)

    def _resolved(self, pattern: PathPattern, effect: Effect) -> tuple[PathPattern, ...]:
        """Resolve the links in the literal beginning of an absolute pattern.

        A grant is for the place the link led to when the policy was loaded, and no other. A denial keeps both names.
        """
        literal = 0
        for segment in pattern.segments:
            if "*" in segment or "?" in segment:
                break
            literal += 1
        beginning = (*pattern.anchor, *pattern.segments[:literal])
        try:
            anchor = path_parts(self._realpath("/" + "/".join(beginning)))[1]
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"the pattern {pattern.text!r} leads to a path that {error}") from error
        segments = pattern.segments[literal:]
        resolved = replace(pattern, anchor=anchor, segments=segments)
        if effect is not Effect.DENY or anchor == beginning:
            return (resolved,)
        return (replace(pattern, anchor=beginning, segments=segments), resolved)


def check_rule(text: str) -> None:
    """Refuse a rule that nobody could ever understand, whoever's it is.

    Raises:
        ConfigurationError: Its type does not exist, or its pattern has a form that its type does not know.

    >>> check_rule("FILE_READ notes/**")
    """
    permission_type, written = _split(text)
    if permission_type.is_path:
        PathPattern.compile(written or "**", client="client")
    else:
        compile_pattern(permission_type, written or "*", client="client")


def _split(text: str) -> tuple[PermissionType, str]:
    name, _, written = text.partition(" ")
    if text != text.strip() or written != written.strip():
        raise ConfigurationError(f"the rule {text!r} has blanks too many; write 'TYPE pattern' with one blank between")
    if name == "*":
        raise ConfigurationError(f"the rule {text!r} must name a type; write one rule for each, such as 'FILE_READ **'")
    try:
        return PermissionType(name), written
    except ConfigurationError as error:
        from difflib import get_close_matches

        close = get_close_matches(name.upper(), PermissionType.names(), n=1)
        if close:
            raise ConfigurationError(f"unknown permission type {name!r}; did you mean {close[0]!r}?") from error
        raise
