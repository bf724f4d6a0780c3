"""A demo book: a dealer in East China, 300 customers, and two years of what happened, as his tills and people send it.

Everything is seeded and dated; no clock is read, so two runs are equal to the byte. Nobody in it exists.
"""

from __future__ import annotations

from tierengine.demo.book.people import Book, Customer
from tierengine.demo.book.post import Delivery
from tierengine.demo.book.telling import demo_book

__all__ = ["Book", "Customer", "Delivery", "demo_book"]
