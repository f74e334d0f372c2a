from __future__ import annotations

import pytest

from mcp_server.errors.input_required_signal import InputRequiredSignal


def test_a_handlers_own_except_does_not_swallow_it() -> None:
    def handler() -> None:
        try:
            raise InputRequiredSignal("q0", {"method": "roots/list"})
        except Exception:  # noqa: BLE001 - what a handler might write
            return

    with pytest.raises(InputRequiredSignal) as caught:
        handler()
    assert (caught.value.key, caught.value.request) == ("q0", {"method": "roots/list"})
