from __future__ import annotations

from mcp_server.errors.capability_missing_error import CapabilityMissingError


def test_it_names_the_capability_and_keeps_its_details() -> None:
    error = CapabilityMissingError({"elicitation": {"url": {}}, "sampling": {}})
    assert error.capabilities == {"elicitation": {"url": {}}, "sampling": {}}
    assert "elicitation, sampling" in str(error)


def test_it_keeps_a_copy() -> None:
    capabilities = {"roots": {}}
    error = CapabilityMissingError(capabilities)
    capabilities.clear()
    assert error.capabilities == {"roots": {}}
