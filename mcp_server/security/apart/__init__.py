"""Handlers that run in a process of their own: how they reach the doors of their call, and what is believed of them."""
