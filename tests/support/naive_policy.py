"""A policy that is too simple to be wrong: plain lists, searched from the front, nothing remembered.

It shares no code with the library. Where the library compiles, indexes, caches and counts in files, this one looks at
every rule for every question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

DENY, ASK, ALLOW = 0, 1, 2
PATHS = ("FILE_READ", "FILE_WRITE", "FILE_WRITE_GLOBAL")
PARTS = ("S3_READ",)
# As far as the questions of the model go.
SHIPPED = (".ssh", "proc")

GrantKey = tuple[str, int, str, str, float | None, float | None]


@dataclass
class NaiveRule:
    """What one line says."""

    effect: int
    kind: str
    pattern: str
    not_before: float | None = None
    expires: float | None = None
    max_uses: int | None = None

    @property
    def text(self) -> str:
        return f"{self.kind} {self.pattern}"


@dataclass
class NaiveClient:
    """What the policy says of one client."""

    folders: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    rules: list[NaiveRule] = field(default_factory=list)
    grants: list[NaiveRule] = field(default_factory=list)


@dataclass
class NaivePolicy:
    """Everything the policy says."""

    clients: dict[str, NaiveClient] = field(default_factory=dict)
    ceiling: list[NaiveRule] | None = None
    extra: list[NaiveRule] = field(default_factory=list)
    scopes: dict[str, list[NaiveRule]] = field(default_factory=dict)

    def decide(
        self,
        now: float,
        used: Counter[GrantKey],
        client: str,
        kind: str,
        resource: str,
        token: tuple[list[NaiveRule], list[str]] | None,
    ) -> tuple[int, GrantKey | None]:
        """Return the effect, and which grant one use is taken of."""
        profile = self.clients.get(client)
        if profile is None:
            return DENY, None
        if self._is_denied_to_all(kind, resource):
            return DENY, None
        if token is not None:
            rules = [*token[0], *(rule for name in token[1] for rule in self.scopes.get(name, []))]
            if not any(_own(profile, rule, kind, resource) for rule in rules):
                return DENY, None
        if any(rule.effect == DENY and _own(profile, rule, kind, resource) for rule in profile.rules):
            return DENY, None
        if kind in PATHS and not _holds(profile, kind, resource):
            return DENY, None
        for effect in (ASK, ALLOW):
            if any(rule.effect == effect and _own(profile, rule, kind, resource) for rule in profile.rules):
                return effect, None
            speaking = [
                rule
                for rule in profile.grants
                if rule.effect == effect
                and _own(profile, rule, kind, resource)
                and (rule.not_before is None or now >= rule.not_before)
                and (rule.expires is None or now < rule.expires)
            ]
            if any(rule.max_uses is None for rule in speaking):
                return effect, None
            for rule in speaking:
                key = (client, rule.effect, rule.kind, rule.pattern, rule.not_before, rule.expires)
                if used[key] < (rule.max_uses or 0):
                    return effect, key
        return DENY, None

    def _is_denied_to_all(self, kind: str, resource: str) -> bool:
        if kind in PATHS and any(part.lower() in SHIPPED for part in _shipped_part(resource)):
            return True
        if any(_common(rule, kind, resource) for rule in self.extra):
            return True
        if self.ceiling is None:
            return False
        denied = any(rule.effect == DENY and _common(rule, kind, resource) for rule in self.ceiling)
        allowed = any(rule.effect == ALLOW and _common(rule, kind, resource) for rule in self.ceiling)
        return denied or not allowed

    def uses(self, key: GrantKey) -> int:
        """Return how often a grant may be used in all."""
        client, effect, kind, pattern, not_before, expires = key
        for rule in self.clients[client].grants:
            if (rule.effect, rule.kind, rule.pattern, rule.not_before, rule.expires) == (
                effect,
                kind,
                pattern,
                not_before,
                expires,
            ):
                return rule.max_uses or 0
        return 0


def _shipped_part(resource: str) -> Iterator[str]:
    parts = resource.split("/")
    yield from (part for part in parts if part.lower() == ".ssh")
    if len(parts) > 1 and parts[1].lower() == "proc":
        yield "proc"


def _holds(profile: NaiveClient, kind: str, resource: str) -> bool:
    inside = [
        (len(folder), is_shared)
        for folders, is_shared in ((profile.folders, False), (profile.shared, True))
        for folder in folders
        if resource == folder or resource.startswith(folder + "/")
    ]
    if not inside:
        return False
    _, is_shared = max(inside)
    if kind == "FILE_WRITE":
        return not is_shared
    return is_shared or kind != "FILE_WRITE_GLOBAL"


def _common(rule: NaiveRule, kind: str, resource: str) -> bool:
    if rule.kind != kind:
        return False
    if kind in PATHS:
        return _path(rule.pattern.removeprefix("/"), resource[1:].split("/"), rule.effect, is_bare=rule.pattern == "**")
    return _opaque(rule, resource)


def _own(profile: NaiveClient, rule: NaiveRule, kind: str, resource: str) -> bool:
    if rule.kind != kind:
        return False
    if kind not in PATHS:
        return _opaque(rule, resource)
    if rule.pattern.startswith("/"):
        return _path(rule.pattern[1:], resource[1:].split("/"), rule.effect, is_bare=False)
    for folder in profile.shared if kind == "FILE_WRITE_GLOBAL" else profile.folders:
        # A denial holds for every spelling, of the folder as well.
        same = resource.lower() == folder.lower() if rule.effect == DENY else resource == folder
        start = folder + "/"
        begins = resource.lower().startswith(start.lower()) if rule.effect == DENY else resource.startswith(start)
        if same and rule.pattern == "**":
            return True
        if begins and _path(rule.pattern, resource[len(start) :].split("/"), rule.effect, is_bare=rule.pattern == "**"):
            return True
    return False


def _path(pattern: str, parts: list[str], effect: int, *, is_bare: bool) -> bool:
    segments = pattern.split("/")
    if not is_bare and segments[-1] == "**":
        segments.append("*")
    if effect == DENY and _walk([each.lower() for each in segments], [each.lower() for each in parts]):
        return True
    return _walk(segments, parts)


def _walk(segments: list[str], parts: list[str]) -> bool:
    if not segments:
        return not parts
    if segments[0] == "**":
        return _walk(segments[1:], parts) or (bool(parts) and _walk(segments, parts[1:]))
    return bool(parts) and _text(segments[0], parts[0], one=True) and _walk(segments[1:], parts[1:])


def _text(pattern: str, text: str, *, one: bool = False) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _text(pattern[1:], text, one=one) or (bool(text) and _text(pattern, text[1:], one=one))
    fits = bool(text) and (pattern[0] == text[0] or (one and pattern[0] == "?"))
    return fits and _text(pattern[1:], text[1:], one=one)


def _opaque(rule: NaiveRule, resource: str) -> bool:
    if resource == "unrestricted" and rule.effect != DENY:
        return rule.pattern == "unrestricted"
    if rule.kind in PARTS and rule.pattern != "unrestricted":
        is_everything = rule.pattern in ("*", "**")
        if is_everything and rule.effect == DENY:
            return True
        parts = resource.split("/")
        if any(part in ("", ".", "..") for part in parts):
            return False
        return is_everything or _path(rule.pattern, parts, rule.effect, is_bare=False)
    if rule.effect == DENY and _text(rule.pattern.lower(), resource.lower()):
        return True
    return _text(rule.pattern, resource)
