"""Measurements of the server beside the official Python package; `python -m benchmarks` runs them."""
