"""A source that tries and tries: checklist 37 and 43."""

from __future__ import annotations

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.attempt_budget import MAX_FAILURES, AttemptBudget
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from tests.support.authentication_rig import AuthenticationRig, certificate, credentials
from tests.support.tokens import token


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    verify = VerificationKey.verify

    def counted(self: VerificationKey, signing_input: bytes, signature: bytes) -> None:
        seen.append(self.key_id)
        verify(self, signing_input, signature)

    monkeypatch.setattr(VerificationKey, "verify", counted)
    return seen


def attack(rig: AuthenticationRig, count: int = 1000, source: str = "192.0.2.1") -> list[str]:
    text = token()
    return [rig.refusal(text[:-10] + f"{number:06d}" + text[-4:], source=source) for number in range(count)]


def test_a_thousand_bad_tokens_cost_twenty_signatures(signatures: list[str]) -> None:
    rig = AuthenticationRig()
    reasons = attack(rig)
    assert len(signatures) == MAX_FAILURES
    assert reasons[MAX_FAILURES:] == ["too many failures from this source"] * (1000 - MAX_FAILURES)
    # Others do not notice; and whoever was known at that address goes on.
    assert rig.show(token(), source="192.0.2.2").client == "reporter"


def test_without_the_barrier_each_of_them_is_verified(signatures: list[str]) -> None:
    rig = AuthenticationRig(budget=AttemptBudget(max_failures=10**9))
    attack(rig, 200)
    assert len(signatures) == 200


def test_who_is_known_goes_on_at_an_address_that_is_used_up() -> None:
    rig = AuthenticationRig()
    good = credentials(token(), source="192.0.2.1")
    rig.manager.authenticate(good)
    attack(rig, 100)
    assert rig.manager.authenticate(good).client == "reporter"
    assert rig.refusal(token(), source="192.0.2.1") == "too many failures from this source"
    rig.pass_time(30)
    assert rig.show(token(), source="192.0.2.1").client == "reporter"


def test_the_answer_is_the_same_whatever_was_wrong() -> None:
    rig = AuthenticationRig(budget=AttemptBudget(max_failures=2))
    answers = set()
    for shown in (
        credentials(),
        credentials("x"),
        credentials(token(exp=1)),
        credentials(token(sub="nobody")),
        credentials(certificate=b"x"),
        credentials(certificate=certificate(ends=1, starts=0)),
        credentials(profile="nobody"),
        credentials(token()[:-5] + "AAAAA", source="192.0.2.9"),
        credentials("y", source="192.0.2.9"),
        credentials(token(), source="192.0.2.9"),
    ):
        with pytest.raises(AuthenticationError) as caught:
            rig.manager.authenticate(shown)
        answers.add((str(caught.value), caught.value.message, caught.value.args, caught.value.__cause__))
    assert answers == {("not authenticated", "not authenticated", ("not authenticated",), None)}
