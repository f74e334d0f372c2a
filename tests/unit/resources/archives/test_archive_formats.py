from __future__ import annotations

import gzip
import io

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_formats import SUFFIXES, reader_of
from mcp_server.resources.archives.archive_limits import ArchiveLimits
from tests.support.archives import ZipMember, tar_end, tar_member, zip_of

TAR = tar_member("a.txt", b"hello") + tar_end()
ZIP = zip_of(ZipMember(b"a.txt", b"hello"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", ZIP),
        ("d.x/A.ZIP", ZIP),
        ("a.tar", TAR),
        ("a.tar.gz", gzip.compress(TAR)),
        ("a.TGZ", gzip.compress(TAR)),
    ],
)
def test_the_end_of_the_name_decides(name: str, data: bytes) -> None:
    found = list(reader_of(name, io.BytesIO(data)).members(ArchiveBudget(ArchiveLimits()), {0}))
    assert [content for _, content in found] == [b"hello"]


@pytest.mark.parametrize("name", ["a.rar", "a.gz", "a", "zip", "a.zip.exe", ""])
def test_other_names_are_none_of_archives(name: str) -> None:
    with pytest.raises(ResourceUnavailableError, match=r"\.tar\.xz"):
        reader_of(name, io.BytesIO(ZIP))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("data", [b"", b"neither", TAR, ZIP, ZIP + TAR])
def test_content_of_another_kind_is_refused(suffix: str, data: bytes) -> None:
    if (suffix, data) in ((".tar", TAR), (".zip", ZIP)):
        return
    with pytest.raises(ResourceUnavailableError):
        list(reader_of(f"a{suffix}", io.BytesIO(data)).members(ArchiveBudget(ArchiveLimits())))
