"""Signatures over single messages, whatever transport carries them."""
