from __future__ import annotations

import os
from typing import Any, cast

from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.transport_config import TransportConfig
from mcp_server.transport.transport_tier import TransportTier


def test_the_client_of_stdio_is_who_the_operator_says_with_the_facts_of_the_kernel() -> None:
    read_fd, write_fd = os.pipe()
    streams = StdioStreams(read_fd, write_fd)
    config = TransportConfig(grace_seconds=1.0)
    transport = TransportTier(config=config, handler=cast("Any", object())).stdio(streams=streams, client="claude")
    credentials = transport._credentials
    assert (credentials.transport, credentials.profile) == ("stdio", "claude")
    assert credentials.peer is not None
    assert (credentials.peer.uid, credentials.peer.pid) == (os.getuid(), os.getppid())
    assert transport._config is config
    streams.close()
