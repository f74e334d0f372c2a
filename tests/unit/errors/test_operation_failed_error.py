from __future__ import annotations

from mcp_server.errors.operation_failed_error import OperationFailedError


def test_it_says_an_id_and_nothing_of_the_cause() -> None:
    error = OperationFailedError("c0ffee")
    error.__cause__ = ValueError("the secret")
    assert error.error_id == "c0ffee"
    assert "c0ffee" in str(error)
    assert "secret" not in str(error) + repr(error)
