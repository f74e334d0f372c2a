"""What of a repository's own configuration is safe to let git read."""

from __future__ import annotations

import re
from typing import Final

# Much of what a configuration can hold names a program: `core.fsmonitor`, `filter.*.clean`, `diff.*.textconv`,
# `alias.*`, and whatever key the next version brings. So what is kept is listed, and nothing of it is a program.
_KEPT: Final = {
    "core": (
        "repositoryformatversion",
        "filemode",
        "bare",
        "ignorecase",
        "precomposeunicode",
        "symlinks",
        "autocrlf",
        "eol",
        "safecrlf",
        "logallrefupdates",
        "sharedrepository",
    ),
    # How objects and references are written: a git that does not know what stands here has to refuse the repository.
    "extensions": None,
}
# A promise that objects can be fetched, and a second file like this one.
_DROPPED: Final = ("partialclone", "worktreeconfig")
_SECTION: Final = re.compile(r"\[\s*([A-Za-z]+)\s*\]", re.ASCII)
_VARIABLE: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*([A-Za-z0-9._-]{0,64})\s*)?", re.ASCII)
_MAX_LINES: Final = 10_000


def safe_git_config(data: bytes) -> bytes:
    r"""Return what of the configuration `data` git may read: how the repository is written, and nothing that is run.

    The result is composed anew from known keys and plain words; what is not written plainly is left out.

    Args:
        data: A file like `.git/config`.

    Source: git-config(1), "CONFIGURATION FILE"; gitrepository-layout(5).

    >>> safe_git_config(b"[core]\n\tfilemode = true\n\tfsmonitor = evil\n[extensions]\n\tobjectFormat = sha256\n")
    b'[core]\n\tfilemode = true\n[extensions]\n\tobjectformat = sha256\n'
    """
    kept: dict[str, list[str]] = {section: [] for section in _KEPT}
    section = ""
    for line in data.decode("utf-8", "replace").split("\n")[:_MAX_LINES]:
        text = line.strip()
        if text.startswith("["):
            found = _SECTION.fullmatch(text)
            section = found[1].lower() if found else ""
            continue
        variable = _VARIABLE.fullmatch(text)
        if variable is None or section not in _KEPT:
            continue
        name, value = variable[1].lower(), variable[2]
        known = _KEPT[section]
        if name in known if known is not None else name not in _DROPPED:
            kept[section].append(f"\t{name}\n" if value is None else f"\t{name} = {value}\n")
    return "".join(f"[{section}]\n{''.join(lines)}" for section, lines in kept.items() if lines).encode()
