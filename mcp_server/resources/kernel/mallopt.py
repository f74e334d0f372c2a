"""The function `mallopt`: how the C library keeps memory."""

from __future__ import annotations

from typing import Any, Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3


class Mallopt:
    """`mallopt(3)` of glibc by `ctypes`; a thin door without any policy, and of no effect with another C library.

    Source: mallopt(3), `M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD`.

    >>> Mallopt().keep(block_bytes=-1, idle_bytes=0)
    False
    """

    __slots__ = ("_mallopt",)

    def __init__(self) -> None:
        import ctypes

        self._mallopt: Any = None
        try:
            self._mallopt = ctypes.CDLL(None).mallopt
        except (AttributeError, OSError, TypeError):
            # musl has none, and Windows no library of that name.
            return

    def keep(self, *, block_bytes: int, idle_bytes: int) -> bool:
        """Take blocks up to a size from memory that was used before, instead of fresh pages each time.

        A fresh page costs a fault when it is first touched, and a large message is made of a thousand of them.

        Args:
            block_bytes: The largest such block; older versions of glibc allow 32 MiB at most.
            idle_bytes: How much free memory the process may hold on to.

        Returns:
            Whether the C library does so.
        """
        if self._mallopt is None or block_bytes < 0:
            return False
        return bool(self._mallopt(_MMAP_THRESHOLD, block_bytes) and self._mallopt(_TRIM_THRESHOLD, idle_bytes))
