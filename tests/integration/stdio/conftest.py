"""Servers as processes, ended with the test whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stdio.raw_server import RawServer


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RawServer]]:
    """Return what starts a server that lives in the test's own directory."""
    with ExitStack() as stack:
        yield lambda *options, **settings: stack.enter_context(RawServer(tmp_path, *options, **settings))


@pytest.fixture
def server(start: Callable[..., Any]) -> RawServer:
    """A server with an open session of 2025-11-25."""
    server: RawServer = start()
    server.initialize()
    return server
