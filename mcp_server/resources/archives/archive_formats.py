"""Which archives there are, by the ends of their names."""

from __future__ import annotations

from typing import IO, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_reader import ArchiveReader
from mcp_server.resources.archives.tar_reader import TarReader
from mcp_server.resources.archives.zip_reader import ZipReader

SUFFIXES: Final[dict[str, str | None]] = {
    ".zip": "zip",
    ".tar": None,
    ".tar.gz": "gz",
    ".tgz": "gz",
    ".tar.bz2": "bz2",
    ".tar.xz": "xz",
}
"""How what stands behind each end of a name is packed; None for a tar archive as it is."""


def reader_of(name: str, file: IO[bytes]) -> ArchiveReader:
    """Return what reads the archive of that name. The name decides, and the content has to be of that kind.

    Args:
        name: The name or path of the archive.
        file: Its bytes.

    Raises:
        ResourceUnavailableError: The name is none of an archive, or the file is no archive of that kind.

    >>> import io
    >>> reader_of("a.rar", io.BytesIO())
    Traceback (most recent call last):
    ...
    mcp_server.errors.resource_unavailable_error.ResourceUnavailableError: archives are .zip, .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz
    """  # noqa: E501  (the message is one line)
    lower = name.lower()
    for suffix, kind in SUFFIXES.items():
        if lower.endswith(suffix):
            return ZipReader(file) if kind == "zip" else TarReader(file, kind)
    raise ResourceUnavailableError("io", f"archives are {', '.join(SUFFIXES)}")
