"""Credit and points: wallets, lots, entries, and the invariants that hold of them."""
