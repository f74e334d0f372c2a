from __future__ import annotations

from mcp_server.security.authentication.established_connection import EstablishedConnection
from mcp_server.security.authentication.principal import Principal


def test_what_has_no_end_says_so() -> None:
    connection = EstablishedConnection(Principal("ada", ()), (), policy_epoch=1, changes=1)
    assert connection.valid_until is None
