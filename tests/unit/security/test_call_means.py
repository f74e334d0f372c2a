from __future__ import annotations

import pytest

from mcp_server.security.call_means import CallMeans
from mcp_server.security.consent_manager import ConsentManager
from tests.security.chain.chain_rig import ChainRig


def test_it_connects_to_nothing_unless_told_and_does_not_change(rig: ChainRig) -> None:
    means = CallMeans(rig.permissions, ConsentManager(report=rig.audit.append), rig.pool, rig.sandboxes)
    assert means.open_http is None
    with pytest.raises(AttributeError):
        means.permissions = rig.permissions  # type: ignore[misc]
