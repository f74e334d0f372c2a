"""The front door of the protocol tier."""

from __future__ import annotations

import os

from mcp_server.protocol.capabilities_manager import CapabilitiesManager
from mcp_server.protocol.handlers.completion_handler import CompletionHandler
from mcp_server.protocol.handlers.lifecycle_handler import LifecycleHandler
from mcp_server.protocol.handlers.logging_handler import LoggingHandler
from mcp_server.protocol.handlers.prompts_handler import PromptsHandler
from mcp_server.protocol.handlers.resources_handler import ResourcesHandler
from mcp_server.protocol.handlers.subscriptions_handler import SubscriptionsHandler
from mcp_server.protocol.handlers.tools_handler import ToolsHandler
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.protocol.protocol_config import ProtocolConfig
from mcp_server.protocol.request_router import RequestRouter
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.subscription_hub import SubscriptionHub
from mcp_server.security.consent.state_sealer import StateSealer
from mcp_server.security.security_chain import SecurityChain
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.completion_manager import CompletionManager
from mcp_server.tools.prompt_manager import PromptManager
from mcp_server.tools.published_resource_manager import PublishedResourceManager
from mcp_server.tools.tool_manager import ToolManager


class ProtocolTier:
    """Builds the protocol from its configuration, the catalogue and the chain; holds the table of handlers.

    Args:
        config: Settings.
        catalog: What the modules offer.
        chain: Runs operations.
    """

    def __init__(self, *, config: ProtocolConfig, catalog: Catalog, chain: SecurityChain) -> None:
        codec = JSONRPCCodec(limits=config.limits)
        registry = RevisionRegistry()
        tools = ToolManager(catalog=catalog)
        prompts = PromptManager(catalog=catalog)
        published = PublishedResourceManager(catalog=catalog)
        capabilities = CapabilitiesManager(
            catalog=catalog, server_info=config.server_info, instructions=config.instructions
        )
        # A cursor of another run of the server is refused: its list may have been another.
        pages = ListPages(codec=codec, cursors=CursorCodec(os.urandom(16)))
        resources = ResourcesHandler(resources=published, chain=chain, pages=pages)
        router = RequestRouter(
            [
                *LifecycleHandler(registry=registry, capabilities=capabilities).routes(),
                *ToolsHandler(tools=tools, chain=chain, pages=pages).routes(),
                *PromptsHandler(prompts=prompts, chain=chain, pages=pages).routes(),
                *resources.routes(),
                *CompletionHandler(completions=CompletionManager(catalog=catalog)).routes(),
                *LoggingHandler().routes(),
            ]
        )

        def may_read(connection: Connection, uri: str) -> bool:
            return chain.permits(connection.channel.credentials, lambda principal: published.plan_read(uri))

        self.hub = SubscriptionHub(may_read=may_read)
        self.handler = MCPProtocolHandler(
            codec=codec,
            registry=registry,
            router=router,
            subscriptions=SubscriptionsHandler(
                chain=chain, resources=resources, registry=registry, server_info=config.server_info
            ),
            hub=self.hub,
            chain=chain,
            sealer=StateSealer(key=os.urandom(32)),
            config=config,
        )
        catalog.subscribe(self._changed)

    def _changed(self, kind: str, uri: str | None) -> None:
        self.hub.changed(kind, uri)
