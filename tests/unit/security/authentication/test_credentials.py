from __future__ import annotations

import dataclasses

import pytest

from mcp_server.security.authentication.credentials import Credentials


def test_two_connections_are_never_the_same_even_if_they_show_the_same() -> None:
    first, second = (Credentials(transport="stdio", profile="local", connection="c") for _ in range(2))
    assert first != second
    assert len({first, second}) == 2


def test_they_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Credentials(transport="stdio").profile = "admin"  # type: ignore[misc]


def test_what_a_client_says_of_itself_has_no_place_in_them() -> None:
    names = {field.name for field in dataclasses.fields(Credentials)}
    evidence = {"certificate", "listener", "proof", "signed", "source", "token"}
    assert names == {"transport", "profile", "peer", "connection"} | evidence
