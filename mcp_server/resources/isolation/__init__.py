"""Running code that nobody trusts: sandboxes, their policies, and what became of what ran in them."""
