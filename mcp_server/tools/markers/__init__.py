"""Marks for `Annotated`: what a typed parameter names, and which permission it therefore needs."""
