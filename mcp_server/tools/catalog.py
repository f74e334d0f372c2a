"""Everything that is offered, by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.tools.module import Module
from mcp_server.tools.tool import Tool

if TYPE_CHECKING:
    from mcp_server.tools.completion import Completion
    from mcp_server.tools.prompt import Prompt
    from mcp_server.tools.published_resource import PublishedResource
    from mcp_server.tools.resource_lister import ResourceLister

logger = logging.getLogger(__name__)

Listener = Callable[[str, str | None], None]

_KINDS: Final = ("tools", "prompts", "resources")
_SECONDS: Final = 1.0


class Catalog:
    """Holds the registered modules, and finds what they offer in constant time.

    A module given by its dotted name is imported when the first list or name is asked for. One that has start hooks is
    started by `start`, or before its first use if it came later.

    Belongs to one event loop; only `resource_updated` of a module may come from other threads.

    Args:
        start_timeout_seconds: How long one module may take to start, in seconds.
        stop_timeout_seconds: How long one module may take to stop, in seconds.

    >>> catalog = Catalog()
    >>> catalog.register(Module("notes"))
    >>> [module.name for module in catalog.modules]
    ['notes']
    """

    def __init__(
        self, *, start_timeout_seconds: float = 10 * _SECONDS, stop_timeout_seconds: float = 5 * _SECONDS
    ) -> None:
        self._start_timeout_seconds = start_timeout_seconds
        self._stop_timeout_seconds = stop_timeout_seconds
        # In the order of registration; a dotted name keeps the place of its module until it is imported.
        self._slots: list[Module | str] = []
        self._has_lazy = False
        self._tables: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
        self._lists: dict[str, tuple[Any, ...]] = {}
        self._templates: tuple[PublishedResource, ...] = ()
        self._epochs = dict.fromkeys(_KINDS, 0)
        self._listeners: list[Listener] = []
        self._started: list[Module] = []
        self._unstarted: dict[str, Module] = {}
        self._starting: dict[str, asyncio.Lock] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False
        self._admits: Callable[[Tool], bool] | None = None
        self.is_ready = True

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules, in the order of registration; those given by name are imported first."""
        self._bind_quietly()
        return tuple(slot for slot in self._slots if isinstance(slot, Module))

    def register(self, source: Module | ModuleType | str) -> None:
        """Register a module.

        Args:
            source: A `Module`; a Python module that holds exactly one; or the dotted name of such a Python module,
                which is then imported on first use.

        Raises:
            ConfigurationError: It is none of these, a handler is missing, or a name is taken.
        """
        if isinstance(source, str):
            _find(source)
            if source in self._slots:
                raise ConfigurationError(f"module {source!r} is registered twice")
            self._slots.append(source)
            self._has_lazy = True
            for kind in _KINDS:
                self._changed(kind)
            return
        module = source if isinstance(source, Module) else module_in(source)
        self._adopt(module)
        self._slots.append(module)
        self._note(module)

    def lock(self, admits: Callable[[Tool], bool]) -> None:
        """Offer of the tools that change from here on only those that are admitted.

        Args:
            admits: Asked of each tool of a module that changes, and of every module that comes.
        """
        self._admits = admits

    def bind(self) -> None:
        """Import the modules that were given by name, now.

        Raises:
            ConfigurationError: One cannot be imported or holds no module; the others are bound nevertheless.
        """
        failures = self._bind()
        if failures:
            raise failures[0]

    def check(self) -> None:
        """Import everything and build every schema and validator, to find mistakes before a client does.

        Raises:
            ConfigurationError: Something cannot be served.
        """
        self.bind()
        for tool in self.tools():
            check = getattr(tool.contract, "check", None)
            if check is not None:
                check()

    def tool(self, name: str) -> Tool:
        """Return the tool of that name.

        Raises:
            UnknownNameError: There is none.
        """
        if self._has_lazy:
            self._bind_quietly()
        try:
            return self._tables["tools"][name]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            raise UnknownNameError("tool", str(name)) from None

    def tools(self) -> tuple[Tool, ...]:
        """Return all tools, by module and then in the order of their registration."""
        return self._list("tools")

    def prompt(self, name: str) -> Prompt:
        """Return the prompt of that name.

        Raises:
            UnknownNameError: There is none.
        """
        self._bind_quietly()
        try:
            return self._tables["prompts"][name]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            raise UnknownNameError("prompt", str(name)) from None

    def prompts(self) -> tuple[Prompt, ...]:
        """Return all prompts, by module and then in the order of their registration."""
        return self._list("prompts")

    def resource(self, uri: str) -> tuple[PublishedResource, dict[str, str]]:
        """Return what a URI leads to, and the values of its template's variables.

        Raises:
            UnknownNameError: It leads nowhere.
        """
        found = self._single_resource(uri)
        if found is not None:
            return found, {}
        if "resources" not in self._lists:
            self._list("resources")
        for template in self._templates:
            variables = template.match(uri)
            if variables is not None:
                return template, variables
        raise UnknownNameError("resource", str(uri))

    def resource_entry(self, reference: str) -> PublishedResource:
        """Return the template of exactly that text, or what the URI leads to.

        Raises:
            UnknownNameError: There is none.
        """
        self._bind_quietly()
        entry = self._tables["resources"].get(reference)
        return entry if entry is not None else self.resource(reference)[0]

    def resources(self) -> tuple[PublishedResource, ...]:
        """Return all resources and templates, by module and then in the order of their registration."""
        return self._list("resources")

    def listers(self) -> tuple[ResourceLister, ...]:
        """Return what lists resources for the calling client, by module and then in the order of registration."""
        return tuple(lister for module in self.modules for lister in module.listers.values())

    def completion(self, reference: str, argument: str) -> Completion | None:
        """Return who completes an argument of a prompt or template, None when nobody does."""
        for module in self.modules:
            found = module.completions.get((reference, argument))
            if found is not None:
                return found
        return None

    def has_completions(self) -> bool:
        """Whether any module completes anything."""
        return any(module.completions for module in self.modules)

    def epoch(self, kind: str) -> int:
        """Return a number that grows whenever the list of that kind (`tools`, `prompts`, `resources`) changes."""
        # A module that is imported on first use changes the lists then: before the number is told, not between pages.
        self._bind_quietly()
        return self._epochs[kind]

    def subscribe(self, listener: Listener) -> None:
        """Call the listener with the kind of a list that changed and None, or with `resources` and an updated URI."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Stop calling the listener."""
        self._listeners.remove(listener)

    async def start(self) -> None:
        """Start the modules in order; when one fails, those that run are stopped again.

        Raises:
            ConfigurationError: A module failed to start, or took too long.
        """
        self._loop = asyncio.get_running_loop()
        self._is_stopped = False
        for module in tuple(self._unstarted.values()):
            try:
                await self.ensure_started(module.name)
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Stop the started modules in reverse order; what goes wrong is logged, and the next one is stopped."""
        self._is_stopped = True
        while self._started:
            module = self._started.pop()
            try:
                async with asyncio.timeout(self._stop_timeout_seconds):
                    await module.stop()
            except TimeoutError:
                logger.error(  # noqa: TRY400 - the stack of a timeout says nothing
                    "module %s took longer than %g s to stop", module.name, self._stop_timeout_seconds
                )
            except Exception:
                logger.exception("module %s failed to stop", module.name)
            self._note(module)

    async def ensure_started(self, name: str) -> None:
        """Start the module of that name, if it is not running; callers that come together wait for one start.

        Raises:
            ConfigurationError: It failed, or took too long; the next call tries again.
            ResourceUnavailableError: The catalog was stopped.
        """
        if name not in self._unstarted:
            return
        if self._is_stopped:
            # A call that is still under way must not wake up what was just put to rest.
            raise ResourceUnavailableError("busy", "the server is stopping")
        async with self._starting.setdefault(name, asyncio.Lock()):
            module = self._unstarted.get(name)
            if module is None:
                return
            try:
                async with asyncio.timeout(self._start_timeout_seconds):
                    await module.start()
            except TimeoutError as error:
                raise ConfigurationError(
                    f"module {name!r} took longer than {self._start_timeout_seconds:g} s to start"
                ) from error
            except ConfigurationError:
                raise
            except Exception as error:
                raise ConfigurationError(f"module {name!r} failed to start: {type(error).__name__}") from error
            self._started.append(module)
            del self._unstarted[name]
            self.is_ready = not self._unstarted

    def check_addition(self, module: Module, kind: str, key: str) -> None:
        """Refuse a name that another module has.

        Raises:
            ConfigurationError: It is taken.
        """
        taken = self._tables[kind].get(key)
        if taken is not None:
            raise ConfigurationError(
                f"{kind[:-1]} {key!r} of module {module.name!r} is registered by module {taken.module!r} already; "
                "names are unique in a server"
            )

    def module_changed(self, module: Module, kind: str) -> None:
        """Take note that a registered module's tools, prompts or resources are others now."""
        table = self._tables[kind]
        admitted = self._admitted(kind, getattr(module, kind))
        for key in [key for key, value in table.items() if value.module == module.name]:
            del table[key]
        table.update(admitted)
        self._changed(kind)

    def resource_updated(self, uri: str) -> None:
        """Tell the listeners that a resource reads differently; from another thread, by way of the loop."""
        self._tell("resources", uri)

    def _adopt(self, module: Module) -> None:
        """Lower a module and take its names, all or none."""
        if any(isinstance(slot, Module) and (slot is module or slot.name == module.name) for slot in self._slots):
            raise ConfigurationError(f"a module {module.name!r} is registered already")
        module.lower()
        for kind in _KINDS:
            for key in getattr(module, kind):
                self.check_addition(module, kind, key)
        for kind in _KINDS:
            values = getattr(module, kind)
            if values:
                self._tables[kind].update(self._admitted(kind, values))
        module.observe(self)
        for kind in _KINDS:
            if getattr(module, kind) or (kind == "resources" and module.listers):
                self._changed(kind)

    def _admitted(self, kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        admits = self._admits
        if kind != "tools" or admits is None:
            return values
        # What is there already was admitted, or found at the start.
        table = self._tables[kind]
        return {name: tool for name, tool in values.items() if table.get(name) is tool or admits(tool)}

    def _note(self, module: Module) -> None:
        if module.has_lifecycle:
            self._unstarted[module.name] = module
            self.is_ready = False

    def _bind_quietly(self) -> None:
        """Bind for a caller who asks for something else: a broken module is logged, and the others are served."""
        if self._has_lazy:
            for failure in self._bind():
                logger.error("a module is not served: %s", failure)

    def _bind(self) -> list[ConfigurationError]:
        import importlib

        failures: list[ConfigurationError] = []
        self._has_lazy = False
        for dotted in [slot for slot in self._slots if isinstance(slot, str)]:
            place = self._slots.index(dotted)
            try:
                module = module_in(importlib.import_module(dotted))
                self._adopt(module)
            except ConfigurationError as error:
                failures.append(error)
                del self._slots[place]
            except Exception as error:  # noqa: BLE001 - an import runs anything; it is kept and told
                failure = ConfigurationError(f"module {dotted!r} cannot be imported: {type(error).__name__}: {error}")
                failure.__cause__ = error
                failures.append(failure)
                del self._slots[place]
            else:
                self._slots[place] = module
                self._lists.clear()
                self._note(module)
        return failures

    def _single_resource(self, uri: str) -> PublishedResource | None:
        self._bind_quietly()
        found: PublishedResource | None = self._tables["resources"].get(uri)
        return found if found is not None and found.template is None else None

    def _list(self, kind: str) -> tuple[Any, ...]:
        self._bind_quietly()
        listed = self._lists.get(kind)
        if listed is None:
            table = self._tables[kind]
            # In the order of registration; what was not admitted is in no table.
            listed = tuple(
                value for module in self.modules for key, value in getattr(module, kind).items() if key in table
            )
            self._lists[kind] = listed
            if kind == "resources":
                templates = [item for item in listed if item.template is not None]
                self._templates = tuple(sorted(templates, key=_specificity))
        return listed

    def _changed(self, kind: str) -> None:
        self._epochs[kind] += 1
        self._lists.pop(kind, None)
        self._tell(kind, None)

    def _tell(self, kind: str, uri: str | None) -> None:
        loop = self._loop
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if loop is not None and running is not loop and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, kind, uri)
        else:
            self._deliver(kind, uri)

    def _deliver(self, kind: str, uri: str | None) -> None:
        for listener in tuple(self._listeners):
            listener(kind, uri)


def _specificity(resource: PublishedResource) -> tuple[int, int, int]:
    return (0, 0, 0) if resource.template is None else resource.template.specificity


def module_in(python_module: object) -> Module:
    """Return the one `Module` that a Python module holds; one it created counts before those it imported.

    Raises:
        ConfigurationError: It holds none, or several.
    """
    if not isinstance(python_module, ModuleType):
        raise ConfigurationError(
            f"register a Module, a Python module that holds one, or its dotted name, not {type(python_module).__name__}"
        )
    held = list({id(value): value for value in vars(python_module).values() if isinstance(value, Module)}.values())
    own = [module for module in held if module.defined_in == python_module.__name__]
    found = own or held
    if len(found) != 1:
        names = ", ".join(repr(module.name) for module in found) or "none"
        raise ConfigurationError(f"{python_module.__name__} must hold exactly one Module; it holds {names}")
    return found[0]


def _find(dotted: str) -> None:
    import importlib.util

    try:
        found = all(part.isidentifier() for part in dotted.split(".")) and importlib.util.find_spec(dotted)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(f"there is no Python module {dotted!r}") from error
    if not found:
        raise ConfigurationError(f"there is no Python module {dotted!r}")
