"""Handlers in a process of their own: where their code lies, what goes there, and the program that runs there."""
