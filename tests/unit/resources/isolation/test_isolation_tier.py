from __future__ import annotations

import pytest

from mcp_server.resources.isolation.isolation_tier import IsolationTier


def test_tiers_are_in_the_order_of_what_they_hold() -> None:
    assert [tier.label for tier in sorted(IsolationTier)] == ["none", "lsm", "ns", "full"]


@pytest.mark.parametrize("tier", IsolationTier)
def test_a_label_leads_back_to_its_tier(tier: IsolationTier) -> None:
    assert IsolationTier.of(tier.label) is tier


@pytest.mark.parametrize("label", ["", "NS", "vm", "0"])
def test_an_unknown_label_is_refused_with_those_that_there_are(label: str) -> None:
    with pytest.raises(ValueError, match="none, lsm, ns, full"):
        IsolationTier.of(label)
