"""One file a family of methods; a handler plans and touches nothing."""
