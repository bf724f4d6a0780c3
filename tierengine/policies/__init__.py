"""Published versions of the policy, and the examples that a version must pass."""
