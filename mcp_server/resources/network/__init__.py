"""Connections to elsewhere: which addresses may be reached, a client over HTTP, and a proxy for sandboxes."""
