from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader

SCOPES = '[scope."files:read"]\nallow = ["FILE_READ **", "DIRECTORY_LIST **"]\n[scope.none]\nallow = []\n'


def parse(text: str) -> Policy:
    return PolicyLoader().parse(f"version = 1\n{text}", source="desk.toml")


def test_a_scope_is_a_list_of_rules() -> None:
    assert dict(parse(SCOPES).scopes) == {"files:read": ("FILE_READ **", "DIRECTORY_LIST **"), "none": ()}
    assert dict(parse("").scopes) == {}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[scope.a]\n", 2, "must say what it covers"),
        ('[scope.a]\nallow = "FILE_READ **"\n', 3, "list of texts"),
        ('[scope.a]\nallow = [\n"FILE_READ **",\n"FILE_REED **"]\n', 5, "did you mean 'FILE_READ'"),
        ('[scope.a]\nallow = ["FILE_READ [a]"]\n', 3, "character classes"),
        ('[scope.a]\nallow = ["FILE_READ ~/a"]\n', 3, "'~'"),
        ('[scope.a]\nallow = ["NETWORK_CONNECT example.org"]\n', 3, "host:port"),
        ('[scope.a]\nallow = []\ndeny = ["FILE_READ **"]\n', 4, "unknown key 'deny'"),
        ('[scope."a b"]\nallow = []\n', 2, "the scope name"),
        ('[scope.""]\nallow = []\n', 2, "the scope name"),
        (f"[scope.a]\nallow = {['FILE_READ ' + str(at) for at in range(65)]}\n", 3, "more than 64 rules"),
    ],
)
def test_a_scope_that_says_something_else_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(text)
    assert caught.value.line == line


def test_scopes_are_a_part_of_the_policys_digest() -> None:
    texts = ("", SCOPES, SCOPES.replace("files:read", "files:all"), SCOPES.replace("FILE_READ", "FILE_WRITE"))
    assert len({parse(text).digest for text in texts}) == 4
