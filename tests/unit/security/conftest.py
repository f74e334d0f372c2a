"""A chain of real parts for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.chain.chain_rig import ChainRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ChainRig]:
    rig = ChainRig(tmp_path)
    yield rig
    rig.close()
