"""JSON-RPC 2.0: frames, codec, envelopes, error codes."""
