from __future__ import annotations

import pytest

from mcp_server.resources.isolation.diagnosis import Diagnosis
from mcp_server.resources.isolation.isolation_tier import IsolationTier

NS, FULL, NONE = IsolationTier.NS, IsolationTier.FULL, IsolationTier.NONE


@pytest.mark.parametrize(
    ("tier", "demanded", "attacks", "holds"),
    [
        (NS, NS, {"a": (True, False), "b": (True, False)}, True),
        (FULL, NS, {"a": (True, False)}, True),
        (NS, FULL, {"a": (True, False)}, False),
        (NS, NS, {"a": (True, False), "b": (True, True)}, False),
        (NS, NS, {"a": (True, False), "b": (False, False)}, False),
        (NS, NS, {"a": (True, False), "user namespace": (False, False)}, True),
        (NS, NS, {"a": (True, False), "user namespace": (False, True)}, False),
        (NS, NS, {}, False),
        (NONE, NONE, {}, False),
    ],
)
def test_it_holds_when_every_attack_proves_it(
    tier: IsolationTier, demanded: IsolationTier, attacks: dict[str, tuple[bool, bool]], holds: bool
) -> None:
    assert Diagnosis(tier, demanded, attacks=attacks).holds is holds
