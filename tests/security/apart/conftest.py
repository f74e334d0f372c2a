"""A folder with files that are granted and files that are not, and a canary beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.apart.apart_rig import ApartRig


@pytest.fixture
def rig() -> Iterator[ApartRig]:
    # Not below pytest's own directories, which are closed to the accounts that sandboxes run as.
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as parent:
        Path(parent).chmod(0o755)
        yield ApartRig(Path(parent))
