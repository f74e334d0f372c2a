from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_comparison import PolicyComparison
from mcp_server.security.permissions.policy_loader import PolicyLoader

QUEUE = PermissionType.custom("CUSTOM_QUEUE")
TEXT = 'version = 1\n[client.ada]\nallow = ["CUSTOM_QUEUE orders/*"]\n'
PARTS = TEXT + '[custom.CUSTOM_QUEUE]\nmatcher = "parts"\n'


def manager(text: str) -> PermissionManager:
    return PermissionManager(policy=PolicyLoader().parse(text))


def test_the_operator_chooses_how_a_custom_right_is_matched() -> None:
    for text, crosses in ((TEXT, True), (PARTS, False), (PARTS.replace('"parts"', '"text"'), True)):
        assert manager(text).decide("ada", QUEUE, "orders/new").is_allowed
        assert manager(text).decide("ada", QUEUE, "orders/new/secret").is_allowed is crosses
        assert manager(text).decide("ada", QUEUE, "orders/../admin").is_allowed is crosses


def test_a_token_is_read_in_the_same_language() -> None:
    narrow = Narrowing.of(rules=["CUSTOM_QUEUE orders/*"])
    wide = PARTS.replace("orders/*", "orders/**")
    assert manager(wide).decide("ada", QUEUE, "orders/a/b").is_allowed
    assert not manager(wide).decide("ada", QUEUE, "orders/a/b", narrow).is_allowed
    assert manager(wide).decide("ada", QUEUE, "orders/a", narrow).is_allowed


def test_a_module_declares_texts_and_sees_its_tools() -> None:
    assert manager(PARTS).might_use("ada", Permission(QUEUE, "orders/*"))
    assert manager(PARTS).might_use("ada", Permission(QUEUE))


def test_a_loader_remembers_nothing_of_the_policy_before() -> None:
    loader = PolicyLoader()
    assert not PermissionManager(policy=loader.parse(PARTS)).decide("ada", QUEUE, "orders/a/b").is_allowed
    assert PermissionManager(policy=loader.parse(TEXT)).decide("ada", QUEUE, "orders/a/b").is_allowed


def test_another_language_is_another_policy_and_may_widen() -> None:
    one, other = (PolicyLoader().parse(text) for text in (TEXT, PARTS))
    assert one.digest != other.digest
    assert any(change.widens for change in PolicyComparison(one, other).changes())
    assert any(change.widens for change in PolicyComparison(other, one).changes())
    assert dict(Policy().matchers) == {}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[custom.CUSTOM_Q]\nmatcher = "regex"', 3, "one of 'text', 'parts'"),
        ('[custom.FILE_READ]\nmatcher = "parts"', 2, "CUSTOM_<NAME>"),
        ("[custom.CUSTOM_Q]", 2, "'matcher' in .* is missing"),
        ('[custom.CUSTOM_Q]\nmatch = "parts"', 3, "did you mean 'matcher'"),
        ('custom = "x"', 2, "must be a table"),
    ],
)
def test_a_language_that_does_not_exist_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        PolicyLoader().parse("version = 1\n" + text)
    assert caught.value.line == line
