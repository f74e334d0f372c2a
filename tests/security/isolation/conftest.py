"""One rig with every barrier, and a folder to be a workspace."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.isolation.sandbox_rig import SandboxRig


@pytest.fixture(scope="module")
def rig() -> Iterator[SandboxRig]:
    """Sandboxes as the server makes them."""
    rig = SandboxRig()
    yield rig
    rig.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that everybody may walk to, and write into."""
    # Not below pytest's own directories, which are closed to the accounts that sandboxes run as.
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as parent:
        Path(parent).chmod(0o755)
        path = Path(parent, "W")
        path.mkdir()
        path.chmod(0o777)
        yield path
