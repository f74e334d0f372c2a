"""Run a program in an interpreter that has only the standard library and this checkout."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def run_bare(source: str, *arguments: object) -> str:
    """Run `source` with `python -I -S`, as the sandbox does, and return what it printed."""
    whole = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n" + textwrap.dedent(source)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", whole, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
