from __future__ import annotations

import pytest

from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_subject import PolicySubject


def test_a_path_is_split_and_folded() -> None:
    subject = PolicySubject.read(PermissionType.FILE_READ, "/Srv/É.md")
    assert subject.parts == ("Srv", "É.md")
    assert subject.folded_parts == ("srv", "é.md")
    assert subject.folded_text == "/srv/é.md"


def test_the_root_has_no_names() -> None:
    subject = PolicySubject.read(PermissionType.DIRECTORY_LIST, "/")
    assert subject.parts == subject.folded_parts == ()


def test_other_resources_stay_whole() -> None:
    subject = PolicySubject.read(PermissionType.NETWORK_CONNECT, "API.example.com:443")
    assert (subject.parts, subject.text, subject.folded_text) == ((), "API.example.com:443", "api.example.com:443")


@pytest.mark.parametrize("path", ["a", ".", "", "/a/../b", "/a\n"])
def test_paths_that_are_not_canonical_and_absolute_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"is|holds"):
        PolicySubject.read(PermissionType.FILE_READ, path)


@pytest.mark.parametrize("resource", ["", "a\0b", "a\nb", "\ud800", "x" * 4097])
def test_other_resources_that_cannot_be_compared_are_refused(resource: str) -> None:
    with pytest.raises(ValueError, match=r"is|holds"):
        PolicySubject.read(PermissionType.custom("CUSTOM_X"), resource)
