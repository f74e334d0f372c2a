"""Where a process of its own finds a module's handlers."""

from __future__ import annotations

import os
import site
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

MAIN: Final = "__main__"
_SHIPPED: Final = "mcp_server.tools.modules."
_SYSTEM: Final = "/usr"
"""What every sandbox has anyway."""


class HandlerPlace(NamedTuple):
    """The module that offers a handler, and the Python module that makes it when it is imported again.

    Args:
        module: The module's name.
        python_module: The name of the Python module that creates it; `__main__` for a program.
        isolation: Where its author wants its handlers to run; None leaves it to what they declare.
        executes: Whether this handler declares that it executes something.

    >>> HandlerPlace("notes", "json").code[-1].endswith("json")
    True
    """

    module: str
    python_module: str
    isolation: Literal["inline", "process"] | None = None
    executes: bool = False

    @property
    def is_apart(self) -> bool:
        """Whether the handler runs in a process of its own unless the policy says otherwise."""
        return self.executes if self.isolation is None else self.isolation == "process"

    def runs_apart(self, context: ClientContext) -> bool:
        """Whether a call runs in a process of its own: the policy says so, else the module, else what is declared.

        Args:
            context: Of the call.
        """
        is_apart = self.is_apart
        if not is_apart and not context.isolates:
            return False
        said = context.module_policy(self.module).isolation
        return is_apart if said is None else said == "process"

    @property
    def file(self) -> str:
        """The absolute path of the Python module's file.

        Raises:
            ConfigurationError: It has none, as what is typed into an interpreter.
        """
        found = getattr(sys.modules.get(self.python_module), "__file__", None)
        if not isinstance(found, str) or not os.path.isfile(found):
            raise ConfigurationError(
                f"module {self.module!r} is to run in a process of its own, and {self.python_module!r} is no file that "
                "could be imported there; write it into one"
            )
        return os.path.realpath(found)

    @property
    def code(self) -> tuple[str, ...]:
        """The files and directories that hold its code: its own package, this one, and what is installed beside it.

        Raises:
            ConfigurationError: It is in no file.
        """
        found = [*_installed(), _package_of("mcp_server"), self._own]
        kept: dict[str, None] = {}
        for path in found:
            if not any(os.path.commonpath([path, each]) == each for each in (_SYSTEM, *kept)):
                kept[path] = None
        return tuple(kept)

    @property
    def search_path(self) -> list[str]:
        """What belongs into `sys.path` there.

        Raises:
            ConfigurationError: It is in no file.
        """
        places = [os.path.dirname(self._own), os.path.dirname(_package_of("mcp_server")), *_installed()]
        return list(dict.fromkeys(places))

    @property
    def _own(self) -> str:
        if self.python_module != MAIN and "." in self.python_module:
            return _package_of(self.python_module.partition(".")[0])
        file = self.file
        return os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file


def executes(permissions: tuple[Permission, ...]) -> bool:
    """Whether something is declared that runs apart unless somebody says otherwise.

    >>> executes((Permission(PermissionType.CODE_EXECUTION, "python"),))
    True
    """
    return any(each.type in (PermissionType.CODE_EXECUTION, PermissionType.SYSTEM_COMMAND) for each in permissions)


def place_of(module: Any, isolation: Literal["inline", "process"] | None) -> HandlerPlace | None:
    """Return where the handlers of a module are found; None for one that ships, which does all it does by the doors.

    Args:
        module: The `Module`.
        isolation: Where its author wants them to run.
    """
    kind = type(module).__module__
    # What makes a shipped module may be anybody's file; its handlers are those of its class.
    is_shipped = kind.startswith(_SHIPPED) or module.defined_in.startswith(f"{__package__.partition('.')[0]}.")
    return None if is_shipped else HandlerPlace(module.name, module.defined_in, isolation)


def check_place(module: Any, place: HandlerPlace, name: str) -> None:
    """Refuse a handler that is to run apart, and would not be found there; where an operator says so, he is told later.

    Args:
        module: The `Module`.
        place: Where the handler is.
        name: What it is of.

    Raises:
        ConfigurationError: The module is in no variable at the top of its file.
    """
    if not place.is_apart:
        return
    file = sys.modules.get(place.python_module)
    if any(value is module or getattr(value, "own_module", None) is module for value in vars(file).values()):
        return
    why = "declares CODE_EXECUTION or SYSTEM_COMMAND, and so" if place.isolation is None else "of an isolated module"
    raise ConfigurationError(
        f"{name!r} {why} runs in a process of its own, which imports {place.python_module} and looks for the module "
        f'{place.module!r} in its variables; keep it in one at the top of that file, or say isolation="inline"'
    )


def _package_of(name: str) -> str:
    """Return the directory of a package that was imported."""
    package = sys.modules[name]
    found = getattr(package, "__path__", None)
    if not found:
        raise ConfigurationError(f"the package {name!r} is in no directory that a process of its own could be given")
    return os.path.realpath(str(next(iter(found))))


def _installed() -> list[str]:
    """Return the directories of installed packages; the user's own are none, for anybody's program writes there."""
    return [os.path.realpath(path) for path in site.getsitepackages() if os.path.isdir(path)]
