"""A dealer of our own making, two years of his events, recorded from nothing."""
