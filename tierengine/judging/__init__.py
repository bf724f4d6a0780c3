"""Judging a history: facts, standing, grants and prices, folded in the order in which things happened. Pure.

In the order in which an event goes through them:

what was said   observations → forms → values, bounds, clock; recorded (an observation with its member)
what it is      resolution, returns → history (positions, contributions, steps), netting; merging (who is one with whom)
facts           facts (of a policy) → measures
at many places  running, windows, tallies, states; long_histories (kept from one question to the next)
of many people  facts_sql, facts_statement, sql_words
the fold        fold → regimes (each version in force), decisions, carry, standing; trail (what it asked),
                passing (what it may leap over)
rewards         grants → occasions, offers, amounts, budgets; what a return leaves of them: reversals
an order        pricing, worth (of what a wallet pays)
"""
