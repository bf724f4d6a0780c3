"""Seeded faults: each breaks one thing in the product, and a test must notice. `python -m tests.mutants` tries them.

A fault is a change of a few characters in one function or constant (`edits`), so that it is as small as a slip is, and
fails to apply, loudly, once the code is written otherwise. Areas register theirs in modules of their own.
"""
