"""Judgement proven: random policies over the whole vocabulary, random histories, three readings of each.

`python -m tests.proof` judges cases by the engine on facts read by SQL, on running facts, and by the plain oracles.
"""
