"""One machine that does whatever may be done to a book, in three worlds at once, beside an oracle in plain Python.

    python -m tests.machine --examples 100 --steps 100

The worlds are the domain layer in this process, the service over HTTP on SQLite, and the service over HTTP on
PostgreSQL. After every step each world keeps every invariant of `tierengine verify`; their answers, balances and tiers
are equal; and they are what the oracle says.
"""
