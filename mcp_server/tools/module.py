"""What a third party publishes: a named bundle of tools, prompts and resources."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload
from weakref import WeakSet

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.apart.handler_place import place_of
from mcp_server.tools.handler_lookup import creator_globals, find_handler
from mcp_server.tools.hooks import Hook, call_hook
from mcp_server.tools.icon import Icon
from mcp_server.tools.module_observer import ModuleObserver
from mcp_server.tools.tool import Tool
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.written_lowering import made, made_early, make_written_tool

if TYPE_CHECKING:
    from mcp_server.tools.completion import Completion
    from mcp_server.tools.prompt import Prompt
    from mcp_server.tools.prompt_argument import PromptArgument
    from mcp_server.tools.published_resource import PublishedResource
    from mcp_server.tools.resource_lister import ResourceLister

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


class Module:
    """A named bundle of tools, prompts and resources, with what happens at start and stop.

    Registration here only collects. When the module is registered with a server its handlers are looked up, and both
    forms of a tool become the same frozen `Tool`. What is registered or removed after that takes effect at once, and
    clients are told that the list changed.

    A subclass may hold handlers as methods, and override `start` and `stop`.

    Args:
        name: Its name: up to 64 letters, digits, `_`, `-` or `.`.
        description: What it is for.
        instructions: What a model should know to use it well.
        tags: Labels for everything in it.
        isolation: Where its handlers run: `inline`, in the server, or `process`, each call in a sandbox of its own. By
            default only those run apart that declare CODE_EXECUTION or SYSTEM_COMMAND. The policy has the last word.

    Raises:
        ConfigurationError: The name is not one.

    >>> notes = Module("notes")
    >>> async def count(client, params): return {"words": len(params["text"].split())}
    >>> notes.register_tool(name="count", description="Count words.", handler=count,
    ...     input_schema={"type": "object", "properties": {"text": {"type": "string"}}})
    >>> notes.lower(); list(notes.tools)
    ['count']
    """

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        instructions: str | None = None,
        tags: Iterable[str] = (),
        isolation: Literal["inline", "process"] | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"module {name!r}: a name is 1 to 64 letters, digits, '_', '-' or '.'")
        self.name = name
        self.description = description
        self.instructions = instructions
        self.tags = frozenset(tags)
        self.tools: dict[str, Tool] = {}
        self.prompts: dict[str, Prompt] = {}
        self.resources: dict[str, PublishedResource] = {}
        self.listers: dict[str, ResourceLister] = {}
        self.completions: dict[tuple[str, str], Completion] = {}
        self._file_globals = creator_globals(self)
        self._place = place_of(self, isolation)
        self._waiting: dict[tuple[str, str], Callable[[], Any]] = {}
        self._is_lowered = False
        self._start_hooks: list[Hook] = []
        self._stop_hooks: list[Hook] = []
        self._observers: WeakSet[ModuleObserver] = WeakSet()

    @property
    def defined_in(self) -> str:
        """The name of the Python module that created this module."""
        return str(self._file_globals.get("__name__", "__main__"))

    def register_tool(
        self,
        *,
        name: str,
        description: str,
        input_schema: Mapping[str, Any],
        permissions: Sequence[Permission] = (),
        handler: Callable[..., Any] | None = None,
        title: str | None = None,
        output_schema: Mapping[str, Any] | None = None,
        annotations: ToolAnnotations | Mapping[str, Any] | None = None,
        icons: Sequence[Icon | Mapping[str, Any]] = (),
        tags: Iterable[str] = (),
        timeout_seconds: float | None = None,
        meta: Mapping[str, Any] | None = None,
        plain: Iterable[str] = (),
    ) -> None:
        """Register a tool by its schema; the handler is called with `(client, params)`.

        Without `handler`, it is the method `handle_<name>` of a subclass, or else the function `handle_<name>` in the
        file that created the module; `-` in the name becomes `_`.

        Args:
            name: Its name: up to 64 letters, digits, `_` or `-`.
            description: What it does, for the model.
            input_schema: JSON Schema 2020-12 of the arguments, sent exactly so.
            permissions: Everything it may need.
            handler: The function to call.
            title: Its name for humans.
            output_schema: JSON Schema of the structured value; a result that does not fit is a bug, and is masked.
            annotations: Hints for the client; `read_only` also spares the intent record.
            icons: Pictures for the client.
            tags: Labels.
            timeout_seconds: Its time limit in seconds; the server's default when not given.
            meta: The tool's `_meta`.
            plain: Parameters that look like a path, an address or a command, and are none.

        Raises:
            ConfigurationError: Something of it cannot be served; the message says what to write instead.
        """
        make = make_written_tool(
            module=self.name,
            name=name,
            description=description,
            input_schema=input_schema,
            permissions=tuple(permissions),
            title=title,
            output_schema=output_schema,
            annotations=annotations,
            icons=icons,
            tags=self.tags.union(tags),
            timeout_seconds=timeout_seconds,
            meta=meta,
            plain=plain,
        )
        self._declare("tools", name, lambda: make(handler or find_handler(self, name, self._file_globals)))

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(
        self,
        *,
        name: str | None = ...,
        title: str | None = ...,
        description: str | None = ...,
        permissions: Sequence[Permission] = ...,
        output_schema: Mapping[str, Any] | None = ...,
        annotations: ToolAnnotations | Mapping[str, Any] | None = ...,
        icons: Sequence[Icon | Mapping[str, Any]] = ...,
        tags: Iterable[str] = ...,
        timeout_seconds: float | None = ...,
        meta: Mapping[str, Any] | None = ...,
        plain: Iterable[str] = ...,
    ) -> Callable[[F], F]: ...

    # mypy does not see that `options` takes all of the above.
    def tool(self, function: Any = None, /, **options: Any) -> Any:  # type: ignore[misc]
        """Register a typed function as a tool; with or without parentheses.

        The schema comes from the parameters, the description from the docstring, the permissions from the marks
        (`Annotated[Path, Reads("**/*.md")]`) and from `permissions`. Options are those of `register_tool`.

        Raises:
            ConfigurationError: Something of it cannot be served; the message says what to write instead.
        """
        # The typed forms are lowered by what a module of written tools, and its server's start, can do without.
        from mcp_server.tools.lowering import make_typed_tool

        return self._decorator("tools", make_typed_tool, function, options)

    @overload
    def prompt(self, function: F, /) -> F: ...

    @overload
    def prompt(
        self,
        *,
        name: str | None = ...,
        title: str | None = ...,
        description: str | None = ...,
        arguments: Sequence[PromptArgument] | None = ...,
        permissions: Sequence[Permission] = ...,
        icons: Sequence[Icon | Mapping[str, Any]] = ...,
        tags: Iterable[str] = ...,
        meta: Mapping[str, Any] | None = ...,
    ) -> Callable[[F], F]: ...

    # mypy does not see that `options` takes all of the above.
    def prompt(self, function: Any = None, /, **options: Any) -> Any:  # type: ignore[misc]
        """Register a function as a prompt; with or without parentheses.

        Its parameters are texts. It returns a text, a content value, a `PromptMessage`, or a list of them.

        Raises:
            ConfigurationError: Something of it cannot be served.
        """
        from mcp_server.tools.lowering import make_prompt

        return self._decorator("prompts", make_prompt, function, options)

    def resource(
        self,
        uri: str,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        size: int | None = None,
        annotations: Mapping[str, Any] | None = None,
        permissions: Sequence[Permission] = (),
        icons: Sequence[Icon | Mapping[str, Any]] = (),
        tags: Iterable[str] = (),
        meta: Mapping[str, Any] | None = None,
        on_subscribe: Callable[..., Any] | None = None,
    ) -> Callable[[F], F]:
        """Publish what a function returns under a URI, or under every URI of a template.

        The function's parameters are the template's variables. It returns a text, bytes, content values, anything with
        a JSON form, or None where there is nothing.

        Args:
            uri: A URI, or an RFC 6570 template with `{name}` (no slash) and at most one `{+name}`.
            name: Its name; the function's when not given.
            title: Its name for humans.
            description: What it is; the docstring's first paragraph when not given.
            mime_type: What reading it gives.
            size: Its length in bytes, where it is known beforehand.
            annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
            permissions: Everything it may need; bound to variables by `argument`, or by marks on the parameters.
            icons: Pictures for the client.
            tags: Labels.
            meta: The resource's `_meta`.
            on_subscribe: Called with the `ClientContext` and the variables by name when a client that may read the
                resource subscribes to it; what it raises refuses the subscription.

        Raises:
            ConfigurationError: Something of it cannot be served.
        """
        from mcp_server.tools.lowering import make_resource

        def decorate(function: F) -> F:
            make = partial(
                make_resource,
                function,
                uri,
                module=self.name,
                name=name,
                title=title,
                description=description,
                mime_type=mime_type,
                size=size,
                annotations=annotations,
                permissions=permissions,
                icons=icons,
                tags=self.tags.union(tags),
                meta=meta,
                on_subscribe=on_subscribe,
            )
            self._declare("resources", uri, made_early(make))
            return function

        return decorate

    def resource_list(self, *, permissions: Sequence[Permission] = ()) -> Callable[[F], F]:
        """List what the calling client can read under the module's templates, beside the single resources.

        The function takes the `ClientContext` and returns `ResourceLink` values. Whatever of them the client may not
        read is left out, so is what it could read only after a question: a list asks nobody.

        Args:
            permissions: Everything it may need; a client that could never have all of them is not shown its links.

        Raises:
            ConfigurationError: The function takes more than the context, or a permission is bound to an argument.
        """
        from mcp_server.tools.lowering import make_lister

        def decorate(function: F) -> F:
            lister = make_lister(function, module=self.name, permissions=tuple(permissions))
            if lister.name in self.listers:
                raise ConfigurationError(f"module {self.name!r} registers the list {lister.name!r} twice")
            self.listers[lister.name] = lister
            if self._is_lowered:
                self._tell("resources")
            return function

        return decorate

    def completion(
        self, reference: str, argument: str, /, *, permissions: Sequence[Permission] = ()
    ) -> Callable[[F], F]:
        """Complete an argument of a prompt, or a variable of a resource template.

        The function takes the text so far and, if it has a second parameter, the other arguments. It returns texts.

        Args:
            reference: The prompt's name or the template's text.
            argument: The argument's name.
            permissions: Everything it may need.

        Raises:
            ConfigurationError: The function's parameters are not those.
        """
        from mcp_server.tools.lowering import make_completion

        def decorate(function: F) -> F:
            make = partial(
                make_completion, function, reference, argument, module=self.name, permissions=tuple(permissions)
            )
            if (reference, argument) in self.completions:
                raise ConfigurationError(f"module {self.name!r} completes '{argument}' of {reference!r} twice")
            self.completions[reference, argument] = made(made_early(make), self._place, self)
            return function

        return decorate

    def on_start(self, function: F) -> F:
        """Call the function, plain or async, without arguments, before anything of the module is used."""
        self._refuse_late_hook()
        self._start_hooks.append(function)
        return function

    def on_stop(self, function: F) -> F:
        """Call the function, plain or async, without arguments, when the server stops; the last registered first."""
        self._refuse_late_hook()
        self._stop_hooks.append(function)
        return function

    @property
    def has_lifecycle(self) -> bool:
        """Whether there is anything to do at start or stop."""
        kind = type(self)
        overrides = kind.start is not Module.start or kind.stop is not Module.stop
        return overrides or bool(self._start_hooks or self._stop_hooks)

    async def start(self) -> None:
        """Run the start hooks, in order; a subclass may do its own work instead."""
        for hook in self._start_hooks:
            await call_hook(hook)

    async def stop(self) -> None:
        """Run the stop hooks, in reverse; each is tried whatever becomes of the others."""
        for hook in reversed(self._stop_hooks):
            try:
                await call_hook(hook)
            except Exception:
                logger.exception("module %s: a stop hook failed", self.name)

    def remove_tool(self, name: str) -> None:
        """Withdraw a tool; clients are told.

        Raises:
            ConfigurationError: There is none of that name.
        """
        self._remove("tools", name)

    def remove_prompt(self, name: str) -> None:
        """Withdraw a prompt; clients are told.

        Raises:
            ConfigurationError: There is none of that name.
        """
        self._remove("prompts", name)

    def remove_resource(self, uri: str) -> None:
        """Withdraw a resource or a template; clients are told.

        Raises:
            ConfigurationError: There is none of that URI.
        """
        self._remove("resources", uri)

    def resource_updated(self, uri: str) -> None:
        """Tell the clients that watch this URI that it reads differently now. May be called from any thread."""
        for observer in tuple(self._observers):
            observer.resource_updated(uri)

    def lower(self) -> None:
        """Look up the handlers and make the frozen values; registering the module with a server does this.

        Raises:
            ConfigurationError: A handler is missing, or a type cannot be resolved.
        """
        for (kind, key), make in tuple(self._waiting.items()):
            getattr(self, kind)[key] = made(make, self._place, self)
            del self._waiting[kind, key]
        self._is_lowered = True

    def observe(self, observer: ModuleObserver) -> None:
        """Tell a catalog of later changes; it is held weakly."""
        self._observers.add(observer)

    def _refuse_late_hook(self) -> None:
        if self._is_lowered:
            raise ConfigurationError(f"module {self.name!r}: name the hooks before a server registers the module")

    def _decorator(self, kind: str, maker: Callable[..., Any], function: Any, options: dict[str, Any]) -> Any:
        def decorate(decorated: F) -> F:
            name = str(options.get("name") or getattr(decorated, "__name__", ""))
            tags = self.tags.union(options.get("tags", ()))
            make = partial(maker, decorated, **{**options, "module": self.name, "name": name, "tags": tags})
            self._declare(kind, name, made_early(make))
            return decorated

        return decorate if function is None else decorate(function)

    def _declare(self, kind: str, key: str, make: Callable[[], Any]) -> None:
        values: dict[str, Any] = getattr(self, kind)
        if key in values or (kind, key) in self._waiting:
            raise ConfigurationError(f"module {self.name!r} registers {kind[:-1]} {key!r} twice")
        if not self._is_lowered:
            self._waiting[kind, key] = make
            return
        value = made(make, self._place, self)
        for observer in tuple(self._observers):
            observer.check_addition(self, kind, key)
        values[key] = value
        self._tell(kind)

    def _remove(self, kind: str, key: str) -> None:
        self.lower()
        values: dict[str, Any] = getattr(self, kind)
        if values.pop(key, None) is None:
            raise ConfigurationError(f"module {self.name!r} has no {kind[:-1]} {key!r}")
        self._tell(kind)

    def _tell(self, kind: str) -> None:
        for observer in tuple(self._observers):
            observer.module_changed(self, kind)
