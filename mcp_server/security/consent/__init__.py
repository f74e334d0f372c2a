"""Asking a human, and sealing what was agreed."""
