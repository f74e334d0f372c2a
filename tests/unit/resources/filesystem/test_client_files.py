"""The interface both keepers of files satisfy."""

from __future__ import annotations

import inspect

import pytest

from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem_manager import FileSystemManager

METHODS = [name for name, value in vars(ClientFiles).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.mark.parametrize("name", METHODS)
def test_the_manager_is_asked_in_the_same_words(name: str) -> None:
    asked, answered = (inspect.signature(getattr(each, name)) for each in (ClientFiles, FileSystemManager))
    assert asked == answered


def test_the_manager_answers_at_once() -> None:
    assert FileSystemManager(roots=[]).answers_at_once is True
