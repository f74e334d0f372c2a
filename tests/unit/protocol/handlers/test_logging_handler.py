"""The level of a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.handlers.logging_handler import LoggingHandler
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange


def test_level_is_set(exchange_of: Callable[..., Exchange], connection: Connection) -> None:
    (route,) = LoggingHandler().routes()
    assert route.answer is not None
    assert route.answer(exchange_of("logging/setLevel", {"level": "alert"}, date="2025-06-18")) == {}
    assert connection.session is not None
    assert connection.session.log_level == "alert"


@pytest.mark.parametrize("params", [{}, {"level": "loud"}, {"level": None}])
def test_level_that_is_none(
    exchange_of: Callable[..., Exchange], connection: Connection, params: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError) as caught:
        LoggingHandler().set_level(exchange_of("logging/setLevel", params, date="2025-06-18"))
    assert caught.value.code == -32602
    assert connection.session is not None
    assert connection.session.log_level == "info"
