"""Policies, edits, clock moves, tokens and calls: what is remembered, a fresh evaluation and a naive model agree.

The input is no text of anything: it chooses a run of the world, step by step.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.use_ledger import UseLedger
from tests.support.naive_policy import ALLOW, ASK, DENY, GrantKey, NaiveClient, NaivePolicy, NaiveRule

name = "evaluator"

corpus = tuple(f"world {number}".encode() for number in range(20))

STEPS = 14
EFFECTS = {DENY: Effect.DENY, ASK: Effect.ASK, ALLOW: Effect.ALLOW}
WORDS = {DENY: "deny", ASK: "ask", ALLOW: "allow"}
CLIENTS = ("ada", "eve")
KINDS = ("FILE_READ", "FILE_WRITE", "FILE_WRITE_GLOBAL", "CUSTOM_X", "S3_READ", "CODE_EXECUTION")
LOADER = PolicyLoader(home="/home/ada", realpath=lambda path: path, isdir=lambda path: True)
TIMES = (10.0, 20.0, 30.0)

Token = tuple[list[NaiveRule], list[str]]
Question = tuple[str, str, str, Token | None]


class World:
    """One run; `seen` counts what happened, for whoever wants to know that enough did."""

    def __init__(self, seed: bytes, seen: Counter[str] | None = None) -> None:
        self.random = Random(sha256(seed).digest())
        self.seen: Counter[str] = Counter() if seen is None else seen
        # Few kinds of right in one world, so that rules and questions meet.
        self.kinds = self.random.sample(KINDS, 2)
        self.now = 0.0
        self.used: Counter[GrantKey] = Counter()
        self.ledger = UseLedger()
        self.policies: list[tuple[NaivePolicy, Policy]] = []
        self.model, self.policy = self.draw_policy()
        self.manager = PermissionManager(
            policy=self.policy, max_cached_decisions=6, ledger=self.ledger, clock=lambda: self.now
        )
        self.asked: list[Question] = []
        self.open: list[Question] = []

    def run(self) -> None:
        """Take the steps."""
        for _ in range(STEPS):
            step = self.random.choice((self.edit, self.move, self.call, self.call, self.call, self.look, self.look))
            step()

    def edit(self) -> None:
        """Put another policy in force, or an old one again."""
        if self.random.random() < 0.7 or not self.policies:
            self.model, self.policy = self.draw_policy()
        else:
            self.model, self.policy = self.random.choice(self.policies)
        self.manager.replace(self.policy)
        self.seen["edit"] += 1

    def move(self) -> None:
        """Set the clock, forwards or back."""
        self.now = self.random.choice((0.0, 9.5, 10.0, 15.0, 19.5, 20.0, 25.0, 30.0, 40.0))
        self.seen["move"] += 1

    def look(self) -> None:
        """Ask what a question that was put before, or a new one, comes to."""
        question = self.random.choice(self.asked) if self.asked and self.random.random() < 0.6 else self.draw_question()
        self.check(question)
        self.check(question)

    def call(self) -> None:
        """Make one call that needs up to three rights; a human who is asked says yes."""
        token = self.draw_token()
        client = self.random.choice(("ada", "ada", "ada", "eve"))
        needs = [self.draw_need(client, token) for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        answers = [self.check(need) for need in needs]
        if any(effect == DENY for effect, _ in answers):
            self.seen["refused"] += 1
            return
        wanted = Counter(key for _, key in answers if key is not None)
        is_left = all(self.used[key] + count <= self.model.uses(key) for key, count in wanted.items())
        if is_left:
            self.used.update(wanted)
        decisions = [self.decide(need) for need in needs]
        is_spent = self.manager.spend([each.uses for each in decisions if each.uses is not None])
        assert is_spent is is_left, (needs, wanted)
        self.seen["counted" if wanted and is_left else "used up" if wanted else "permitted"] += 1

    def draw_need(self, client: str, token: Token | None) -> Question:
        """Return something new, or something that was open before, for what is used up must have been used."""
        if self.open and self.random.random() < 0.6:
            return self.random.choice(self.open)
        return (client, *self.draw_resource(), token)

    def decide(self, question: Question):  # type: ignore[no-untyped-def]  # what the manager returns
        client, kind, resource, token = question
        return self.manager.decide_use(client, PermissionType(kind), resource, narrowing(token))

    def check(self, question: Question) -> tuple[int, GrantKey | None]:
        """Hold the three against each other."""
        self.asked.append(question)
        client, kind, resource, token = question
        expected, key = self.model.decide(self.now, self.used, client, kind, resource, token)
        decision = self.decide(question)
        permission_type, narrow = PermissionType(kind), narrowing(token)
        fresh = PolicyEvaluator(self.policy, now=self.now, uses_left=self.ledger.left)
        assert decision == fresh.decide(client, permission_type, resource, narrow), (question, decision)
        assert decision.effect is EFFECTS[expected], (question, decision, self.now)
        if expected != DENY:
            self.open.append(question)
            assert (decision.uses is not None) is (key is not None), (question, decision)
            is_outside = resource == "unrestricted" and kind == "CODE_EXECUTION"
            declared = Permission(permission_type, restricted=not is_outside)
            if resource != "unrestricted" or is_outside:
                assert self.manager.might_use(client, declared, narrow), question
        looked = self.manager.decide(client, permission_type, resource, narrow).effect
        assert looked is (Effect.ASK if key is not None and expected == ALLOW else EFFECTS[expected]), question
        self.seen[f"{kind} {WORDS[expected]}"] += 1
        if token is not None:
            self.seen["token"] += 1
        return expected, key

    def draw_policy(self) -> tuple[NaivePolicy, Policy]:
        """Return a policy and its model; what the loader refuses (a rule written twice, …) is drawn anew."""
        while True:
            model = self.draw_model()
            try:
                policy = LOADER.parse(written(model), source="world")
            except ConfigurationError:
                self.seen["drawn anew"] += 1
                continue
            self.policies.append((model, policy))
            self.seen["policy"] += 1
            return model, policy

    def draw_model(self) -> NaivePolicy:
        chance = self.random.random
        model = NaivePolicy()
        for client in CLIENTS[: self.random.randint(1, 2)]:
            profile = NaiveClient(["/h/n", "/h/m"][: self.random.randint(1, 2)], ["/h/n/g", "/s"])
            profile.rules = [
                self.draw_rule(self.random.choice((ALLOW, ALLOW, ALLOW, ALLOW, ASK, DENY)), is_common=False)
                for _ in range(self.random.randint(0, 6))
            ]
            profile.grants = [self.draw_grant() for _ in range(self.random.randint(0, 4))]
            model.clients[client] = profile
        if chance() < 0.2:
            model.ceiling = [
                self.draw_rule(ALLOW if at < 5 else DENY, is_common=True) for at in range(self.random.randint(3, 6))
            ]
        if chance() < 0.15:
            model.extra = [self.draw_rule(DENY, is_common=True)]
        if chance() < 0.5:
            model.scopes["some"] = [self.draw_rule(ALLOW, is_common=False) for _ in range(3)]
        return model

    def draw_grant(self) -> NaiveRule:
        rule = self.draw_rule(self.random.choice((ALLOW, ALLOW, ASK)), is_common=False)
        begins, ends = self.random.choice(((None, None), (None, 20.0), (10.0, None), (10.0, 20.0), (20.0, 30.0)))
        rule.not_before, rule.expires = begins, ends
        if (begins is None and ends is None) or self.random.random() < 0.4:
            rule.max_uses = self.random.randint(1, 3)
        return rule

    def draw_rule(self, effect: int, *, is_common: bool) -> NaiveRule:
        kind = self.random.choice(self.kinds)
        if kind in ("CUSTOM_X", "CODE_EXECUTION"):
            return NaiveRule(effect, kind, self.random.choice(("*", "a", "A*", "*b", "unrestricted", "un*")))
        if kind == "S3_READ":
            return NaiveRule(effect, kind, self.random.choice(("*", "b/**", "b/*", "b/k", "b*/k", "*/k/*", "b/**/k")))
        segments = [
            self.random.choice(("a", "A", "*", "**", "**", "?", "a*", "g")) for _ in range(self.random.randint(1, 2))
        ]
        near = "/".join(segments)
        if self.random.random() < 0.3:
            return NaiveRule(effect, kind, self.random.choice(("/h/n/", "/s/", "/h/", "/**/")) + near)
        if is_common:
            return NaiveRule(effect, kind, self.random.choice(("**", f"**/{near}")))
        return NaiveRule(effect, kind, self.random.choice(("**", near)))

    def draw_token(self) -> Token | None:
        if self.random.random() < 0.75:
            return None
        rules = [self.draw_rule(ALLOW, is_common=False) for _ in range(self.random.randint(0, 3))]
        # What lies outside the client's folders covers nothing there; the model does not know the reason.
        rules = [rule for rule in rules if not rule.pattern.startswith("/")]
        return rules, self.random.choice(([], ["some"], ["unknown"]))

    def draw_question(self) -> Question:
        return (
            self.random.choice(("ada", "ada", "ada", "ada", "eve", "mallory")),
            *self.draw_resource(),
            self.draw_token(),
        )

    def draw_resource(self) -> tuple[str, str]:
        kind = self.random.choice(self.kinds)
        if kind in ("CUSTOM_X", "CODE_EXECUTION"):
            return kind, self.random.choice(("a", "A", "ab", "xb", "unrestricted"))
        if kind == "S3_READ":
            return kind, self.random.choice(("b/k", "b/k/k", "B/k", "bb/k", "b/../k", "b//k", "b", "unrestricted"))
        folder = self.random.choice(("/h/n", "/h/n", "/h/n", "/h/m", "/h/n/g", "/h/n/g", "/s", "/h", "/H/n", "/proc"))
        names = [
            self.random.choice(("a", "a", "a", "A", "ab", "g", "aa", ".SSH")) for _ in range(self.random.randint(0, 2))
        ]
        return kind, "/".join((folder, *names))


def narrowing(token: Token | None) -> Narrowing | None:
    """Return the token's narrowing, None without a token."""
    return None if token is None else Narrowing.of(rules=[rule.text for rule in token[0]], scopes=token[1])


def written(model: NaivePolicy) -> str:
    """Return the policy file of a model."""

    def texts(rules: list[NaiveRule], effect: int) -> str:
        return json.dumps([rule.text for rule in rules if rule.effect == effect])

    lines = ["version = 1"]
    for client, profile in model.clients.items():
        lines += [
            f"[client.{client}]",
            f"folders = {json.dumps(profile.folders)}",
            f"global_folders = {json.dumps(profile.shared)}",
            *(f"{WORDS[effect]} = {texts(profile.rules, effect)}" for effect in (ALLOW, ASK, DENY)),
        ]
        for rule in profile.grants:
            lines += [f"[[client.{client}.grant]]", f"{WORDS[rule.effect]} = {json.dumps(rule.text)}"]
            for key, time in (("not_before", rule.not_before), ("expires", rule.expires)):
                if time is not None:
                    lines.append(f"{key} = {datetime.fromtimestamp(time, UTC).isoformat()}")
            if rule.max_uses is not None:
                lines.append(f"max_uses = {rule.max_uses}")
    if model.ceiling is not None:
        lines += [
            "[ceiling]",
            f"allow = {texts(model.ceiling, ALLOW)}",
            f"deny = {texts(model.ceiling, DENY)}",
        ]
    if model.extra:
        lines += ["[default_deny]", f"extra = {texts(model.extra, DENY)}"]
    for scope, rules in model.scopes.items():
        lines += [f"[scope.{scope}]", f"allow = {texts(rules, ALLOW)}"]
    return "\n".join(lines) + "\n"


def run(data: bytes) -> None:
    """Run the world that the input chooses."""
    World(data).run()
