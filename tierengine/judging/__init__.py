"""Judging a history: facts, standing, grants and prices, folded in the order in which things happened. Pure."""
