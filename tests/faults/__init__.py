"""Fault runs: what breaks while people pay must lose nothing and double nothing. `python -m tests.faults` prints it."""
