"""Parameters that look like a file, an address or a command.

Such a parameter needs a permission bound to it, so that what it names is checked before the handler starts. An author
who means something else says so with `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission

_MAX_DEPTH: Final = 6
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# Suspicious as the last word of a name: `file_path`, `targetDir`, `base-url`.
_LAST_WORDS: Final = frozenset(
    (
        "path paths pathname filepath file files filename filenames filepaths dir dirs dirname directory directories "
        "folder folders url urls uri uris href host hosts hostname endpoint endpoints command commands cmd argv "
        "executable program script chemin chemins fichier fichiers dossier dossiers repertoire commande hote"
    ).split()
)
# Suspicious only when they are the whole name: `data_source` is rarely a file.
_WHOLE_NAMES: Final = frozenset("source destination src dst dest args shell cwd root binary socket address".split())
_FORMATS: Final = frozenset(
    "uri uri-reference iri iri-reference url path file-path directory-path hostname idn-hostname".split()
)


def looks_like_resource(name: str) -> bool:
    """Whether a parameter of this name probably names a file, an address or a command.

    >>> [looks_like_resource(name) for name in ("targetDir", "source", "data_source", "profile")]
    [True, True, False, False]
    """
    words = [word.lower() for word in _WORDS.findall(name) if not word.isdigit()]
    # `file_name` is `filename`.
    return name.lower() in _WHOLE_NAMES or bool(_LAST_WORDS & {"".join(words[-1:]), "".join(words[-2:])})


def suspicious_properties(schema: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the dotted names of text properties that look like a resource, nested ones included.

    >>> properties = {"path": {"type": "string"}, "n": {"format": "uri"}, "file": {"type": "integer"}}
    >>> list(suspicious_properties({"properties": properties}))
    ['path', 'n']
    """
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or depth > _MAX_DEPTH:
        return
    for name, child in properties.items():
        if not isinstance(child, Mapping):
            if child is True and looks_like_resource(name):
                yield prefix + name
            continue
        items = child.get("items")
        leaf = items if isinstance(items, Mapping) and "string" not in _types(child) else child
        if "string" in _types(leaf) and (
            leaf.get("format") in _FORMATS or (looks_like_resource(name) and "enum" not in leaf and "const" not in leaf)
        ):
            yield prefix + name
        yield from suspicious_properties(leaf, f"{prefix}{name}.", depth + 1)


def refuse_unguarded(
    what: str, suspicious: Iterable[str], permissions: Iterable[Permission], plain: Iterable[str]
) -> None:
    """Refuse a registration whose suspicious parameters have neither a bound permission nor the mark `plain`.

    Raises:
        ConfigurationError: There is such a parameter.
    """
    bound = (name for permission in permissions for name in permission.arguments)
    # The suspicious ones are named without the elements of lists.
    covered = {".".join(part for part in name.split(".") if part != "*") for name in bound} | set(plain)
    for name in suspicious:
        if not any(name == known or name.startswith(known + ".") for known in covered):
            raise ConfigurationError(
                f"{what}: parameter '{name}' looks like a path, an address or a command, and no permission is bound "
                f"to it. Bind one: Permission(PermissionType.FILE_READ, '**', argument={name!r}) or "
                f"Annotated[..., Reads('**')]; or, if it names no such thing, say plain=[{name!r}] or "
                "Annotated[str, Plain()]"
            )


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        # A node without a type takes anything, texts too, unless an enumeration closes it.
        return frozenset({"string"})
    return frozenset({declared} if isinstance(declared, str) else declared)
