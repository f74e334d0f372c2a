"""Who may do what: types, patterns, policy and decisions."""
