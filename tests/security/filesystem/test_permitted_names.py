"""A24 through the whole chain: a permission's pattern meets the canonical name, and nothing else does."""

from __future__ import annotations

import asyncio
import fnmatch
from pathlib import Path

import pytest

from mcp_server.testing.client_for import client_for
from mcp_server.tools.modules.filesystem_module import FilesystemModule


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("x.txt", True),
        ("./x.txt", True),
        (".//x.txt/", True),
        ("x.key", False),
        ("x.txt/../x.key", False),
        ("X.TXT", False),
        ("sub/y.txt", False),
        ("x.key\0.txt", False),
        ("x.key#.txt", False),
        ("link.txt", False),
    ],
)
def test_a24_only_true_matches_are_read(path: str, may: bool, folder: Path, secret: Path) -> None:
    (folder / "x.txt").write_text("text")
    (folder / "x.key").write_text("key")
    (folder / "sub" / "y.txt").write_text("below")
    (folder / "link.txt").symlink_to("x.key")

    async def attempt() -> str:
        async with client_for(FilesystemModule(), folder=folder, allow=["FILE_READ *.txt"]) as client:
            result = await client.result("read_text_file", path=path)
            assert client.audit
            return "refused" if result.get("isError") else str(result["content"][0]["text"])

    assert asyncio.run(attempt()) == ("text" if may else "refused")


def test_a24_control_the_standard_matcher_crosses_directories() -> None:
    assert fnmatch.fnmatch("sub/y.txt", "*.txt")
    assert fnmatch.fnmatch("../secret.txt", "*.txt")
