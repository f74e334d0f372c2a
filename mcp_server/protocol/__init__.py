"""Floor 5, tier 2: JSON-RPC, revisions, sessions, routing; no I/O."""
