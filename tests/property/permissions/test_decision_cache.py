"""A remembered answer is the one a fresh evaluation gives, whatever was asked and reloaded before."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from tests.property.permissions import worlds as world

clients = st.sampled_from([*world.CLIENTS, "stranger"])


class DecisionCacheMachine(RuleBasedStateMachine):
    """Ask, reload, go back to an old policy, and ask again; the memory holds four answers."""

    @initialize(policy=world.policies)
    def start(self, policy: Policy) -> None:
        self.policies = [policy]
        self.policy = policy
        self.asked: list[tuple[str, PermissionType, str]] = []
        self.manager = PermissionManager(policy=policy, max_cached_decisions=4)

    @rule(policy=world.policies)
    def reload(self, policy: Policy) -> None:
        epoch = self.manager.epoch
        self.policies.append(policy)
        self.policy = policy
        assert self.manager.replace(policy) == self.manager.epoch == epoch + 1

    @rule(data=st.data())
    def reload_an_old_one(self, data: st.DataObject) -> None:
        self.policy = data.draw(st.sampled_from(self.policies))
        self.manager.replace(self.policy)

    @rule(client=clients, question=world.resources)
    def ask(self, client: str, question: tuple[PermissionType, str]) -> None:
        self.asked.append((client, *question))
        self.check(self.asked[-1])

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        if self.asked:
            self.check(data.draw(st.sampled_from(self.asked)))

    @rule(client=clients, permission=world.permissions)
    def look_ahead(self, client: str, permission: Permission) -> None:
        fresh = PolicyEvaluator(self.policy).might_use(client, permission)
        assert self.manager.might_use(client, permission) is fresh
        assert self.manager.might_use(client, permission) is fresh

    @invariant()
    def every_remembered_answer_is_fresh(self) -> None:
        fresh = PolicyEvaluator(self.policy)
        memory = self.manager._generation.decisions
        assert len(memory) <= 4
        assert memory == {question: fresh.decide(*question) for question in memory}

    def check(self, question: tuple[str, PermissionType, str]) -> None:
        fresh = PolicyEvaluator(self.policy).decide(*question)
        assert self.manager.decide(*question) == fresh
        assert self.manager.decide(*question) == fresh


TestDecisionCache = DecisionCacheMachine.TestCase
TestDecisionCache.settings = settings(max_examples=40, stateful_step_count=25)
