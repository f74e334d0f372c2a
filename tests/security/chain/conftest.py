"""Chains and servers for the attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_server.tools.module import Module
from tests.security.chain.chain_rig import ChainRig
from tests.security.chain.house import House


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ChainRig]:
    rig = ChainRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def house(tmp_path: Path) -> Callable[[Module, str], House]:
    return lambda module, policy: House(tmp_path, module, policy)
