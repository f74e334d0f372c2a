"""The few system calls by which the log reaches the disk."""

from __future__ import annotations

import os


class FileWriter:
    """Write, sync and truncate, as the kernel offers them; the seam at which tests let the disk fail.

    The methods are the kernel's calls themselves, without a Python frame around them, for one is made for each record.

    >>> FileWriter().write is os.write
    True
    """

    write = staticmethod(os.write)
    fdatasync = staticmethod(getattr(os, "fdatasync", os.fsync))  # macOS has no fdatasync
    fsync = staticmethod(os.fsync)
    truncate = staticmethod(os.ftruncate)
