"""A member's book with something in it, and what to look at in it."""

from tierengine.ledger.book import MemberBook

CREDIT = "parts_credit"


def book_with(*lots: tuple[int, int | None]) -> MemberBook:
    """A book with one grant (amount, expiry) for each: G1, G2, …"""
    book = MemberBook()
    for number, (amount, expires_at) in enumerate(lots, 1):
        grant(book, f"G{number}", amount, expires_at=expires_at)
    return book


def grant(book: MemberBook, key: str, delta: int, **more):
    return book.adjust(key, "welcome", CREDIT, "CNY", delta, **more)


def kinds(entries) -> list[str]:
    return [entry.kind for entry in entries]


def remaining(book: MemberBook) -> list[int]:
    return [lot.remaining for lot in book.lots]


def held(book: MemberBook, amount: int, *, key: str = "H1", now: int = 1, until: int = 100):
    return book.hold(1, key, CREDIT, amount, f"order of {key}", now, until)


def balances(book: MemberBook) -> tuple[int, int, int]:
    balance = book.balances[CREDIT]
    return balance.available, balance.held, balance.debt
