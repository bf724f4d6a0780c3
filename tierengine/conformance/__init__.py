"""Situations that a till gets into, played against a running service; from nothing but Python and an address."""
