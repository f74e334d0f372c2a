"""Check that a built wheel holds the package, its type marker and its licence, and nothing else."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path


def problems(wheel: Path) -> list[str]:
    """Return what is wrong with `wheel`, one sentence each."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    found = [f"{name} does not belong in the package" for name in names if not is_expected(name)]
    shipped = {name for name in names if name.startswith("mcp_server/")}
    sources = {str(path) for path in Path("mcp_server").rglob("*.py")} | {"mcp_server/py.typed"}
    found += [f"{name} is missing" for name in sorted(sources - shipped)]
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        found.append("the licence is missing")
    return found


def is_expected(name: str) -> bool:
    """Whether a file of that name belongs in the wheel."""
    return name.startswith("mcp_server/") or name.partition("/")[0].endswith(".dist-info")


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    sys.stdout.write("\n".join([*wrong, f"{sys.argv[1]}: {'not good' if wrong else 'good'}"]) + "\n")
    sys.exit(bool(wrong))
