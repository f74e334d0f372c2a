from __future__ import annotations

import pytest

from mcp_server.transport.base_transport import BaseTransport
from mcp_server.transport.stdio_transport import StdioTransport


def test_what_does_not_serve_and_stop_is_no_transport() -> None:
    class Half(BaseTransport):
        def stop(self, reason: object) -> None:
            return None

    with pytest.raises(TypeError, match="serve"):
        Half()  # type: ignore[abstract]
    assert issubclass(StdioTransport, BaseTransport)
