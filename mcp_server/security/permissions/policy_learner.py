"""From what was done to the smallest policy that lets it be done again."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.recorded_question import RecordedQuestion
from mcp_server.security.permissions.resource_patterns import literal_pattern
from mcp_server.security.permissions.resource_text import path_parts

_Key = tuple[str, PermissionType, str]

# A name in a pattern has neither these nor escapes; `?` is the narrowest that it has instead.
_UNWRITABLE: Final = "*?[]{}\\~"


class PolicyLearner:
    """Write a policy whose every rule was needed, and which refuses whatever was refused.

    One rule for each resource, written out; what was agreed to by a human, or granted within limits, stays under `ask`.
    What was refused once is not granted, though it was granted another time. What the finished policy decides is asked
    of the same evaluator that will enforce it, and what it decides otherwise than recorded is told.

    Args:
        questions: What a log tells of.
        policy: The policy under which it was recorded, for the clients' folders; without it a client's folder is the
            innermost directory that holds all its files.
        by_directory: From how many files of one directory on a rule for all files in it takes their place; None never
            grants more than was used.

    >>> read = RecordedQuestion("ada", PermissionType.FILE_READ, "/srv/a.md", Effect.ALLOW, 0.0)
    >>> text, left_out = PolicyLearner([read]).learn()
    >>> print(text)
    version = 1
    <BLANKLINE>
    [client.ada]
    folders = ["/srv"]
    allow = [
      "FILE_READ /srv/a.md",
    ]
    <BLANKLINE>
    """

    def __init__(
        self, questions: Iterable[RecordedQuestion], *, policy: Policy | None = None, by_directory: int | None = None
    ) -> None:
        self._policy = policy
        self._by_directory = by_directory
        self._granted: dict[_Key, Effect] = {}
        self._denied: set[_Key] = set()
        for asked in questions:
            key = (asked.client, asked.type, asked.resource)
            if asked.effect is Effect.DENY:
                self._denied.add(key)
            elif self._granted.get(key) is not Effect.ASK:
                # Who was asked once is asked again.
                self._granted[key] = asked.effect

    def learn(self) -> tuple[str, tuple[str, ...]]:
        """Return the text of the policy, and what of the log it does not decide as recorded, each in a sentence.

        Raises:
            ConfigurationError: What was recorded makes no policy.
        """
        clients = dict.fromkeys(client for client, _, _ in sorted(self._granted))
        left_out: dict[_Key, str] = {
            key: "was refused as well as granted; it is not granted" for key in self._granted if key in self._denied
        }
        texts = ["version = 1\n"]
        for client in clients:
            rules = {effect: self._rules(client, effect, left_out) for effect in (Effect.ALLOW, Effect.ASK)}
            texts.append(self._table(client, rules))
        text = "\n".join(texts)
        self._replay(text, left_out)
        told = sorted(left_out.items())
        return text, tuple(f"{client}: {kind} {resource!r} {reason}" for (client, kind, resource), reason in told)

    def _rules(self, client: str, effect: Effect, left_out: dict[_Key, str]) -> list[str]:
        places = self._folders(client)
        profile = ClientProfile(
            client, folders=tuple(places["folders"]), global_folders=tuple(places["global_folders"])
        )
        found: list[str] = []
        directories: dict[tuple[PermissionType, str], list[str]] = {}
        for key, granted in sorted(self._granted.items()):
            owner, kind, resource = key
            if owner != client or granted is not effect or key in self._denied:
                continue
            text = _written(kind, resource)
            if kind.is_path and not profile.holds(kind, path_parts(resource)[1]):
                left_out[key] = "lies in no folder of its kind; name the policy it was recorded under"
            elif text is None:
                left_out[key] = "cannot be written as a rule of its own"
            elif kind.is_path and text != resource and self._meets_denied(client, kind, text):
                left_out[key] = "cannot be written as a rule that leaves out what was refused"
            elif kind.is_path:
                directories.setdefault((kind, posixpath.dirname(resource)), []).append(text)
            else:
                found.append(f"{kind} {text}")
        for (kind, directory), texts in directories.items():
            wide = None if directory == "/" else _written(kind, directory)
            if wide is not None and self._is_wanted(client, kind, f"{wide}/*", len(texts)):
                found.append(f"{kind} {wide}/*")
            else:
                found += [f"{kind} {text}" for text in texts]
        return sorted(set(found))

    def _is_wanted(self, client: str, kind: PermissionType, pattern: str, count: int) -> bool:
        if self._by_directory is None or count < self._by_directory:
            return False
        return not self._meets_denied(client, kind, pattern)

    def _meets_denied(self, client: str, kind: PermissionType, pattern: str) -> bool:
        compiled = PathPattern.compile(pattern)
        return any(
            compiled.matches(resource) for owner, denied, resource in self._denied if owner == client and denied == kind
        )

    def _table(self, client: str, rules: Mapping[Effect, Sequence[str]]) -> str:
        folders = self._folders(client)
        lines = [f"[client.{client if '.' not in client else json.dumps(client)}]"]
        lines += [f"{name} = {json.dumps(places, ensure_ascii=False)}" for name, places in folders.items() if places]
        for effect, texts in rules.items():
            if texts:
                inner = "".join(f"  {json.dumps(text, ensure_ascii=False)},\n" for text in texts)
                lines.append(f"{effect} = [\n{inner}]")
        return "\n".join(lines) + "\n"

    def _folders(self, client: str) -> dict[str, list[str]]:
        profile = None if self._policy is None else self._policy.clients.get(client)
        if profile is not None:
            return {"folders": list(profile.folders), "global_folders": list(profile.global_folders)}
        own: list[str] = []
        further: list[str] = []
        for owner, kind, resource in self._granted:
            if owner == client and kind.is_path:
                (further if kind == PermissionType.FILE_WRITE_GLOBAL else own).append(resource)
        shared = _innermost(further)
        # A folder is of one kind; in a global one everything but `FILE_WRITE` can be used as well.
        return {"folders": [each for each in _innermost(own) if each not in shared], "global_folders": shared}

    def _replay(self, text: str, left_out: dict[_Key, str]) -> None:
        """Put every question to the policy that was written, and tell what is decided otherwise.

        Raises:
            ConfigurationError: It is none, or it grants what was refused.
        """
        policy = PolicyLoader(realpath=lambda path: path, isdir=lambda path: True).parse(text, source="learned")
        evaluator = PolicyEvaluator(policy)
        for key in self._denied:
            decision = evaluator.decide(*key)
            if decision.effect is not Effect.DENY:
                client, kind, resource = key
                raise ConfigurationError(
                    f"{kind} {resource!r} was refused to {client!r}, and {decision.rule} of what was learned grants "
                    "it; write the policy by hand"
                )
        for key, effect in self._granted.items():
            if key not in left_out and evaluator.decide(*key).effect is not effect:
                left_out[key] = "is not decided as recorded"


def _written(kind: PermissionType, resource: str) -> str | None:
    """Return the pattern for one resource, None when there is none."""
    if not kind.is_path:
        return literal_pattern(kind, resource)
    literal = "".join("?" if character in _UNWRITABLE else character for character in resource)
    return None if literal != literal.strip() else literal


def _innermost(resources: Sequence[str]) -> list[str]:
    """Return the directory that holds all of `resources`, as a list; a directory that holds others holds itself."""
    if not resources:
        return []
    places = [
        each if any(other.startswith(f"{each.rstrip('/')}/") for other in resources) else posixpath.dirname(each)
        for each in resources
    ]
    return [posixpath.commonpath(places)]
