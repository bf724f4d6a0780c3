"""How much of what may be said at once, how long a text and how great a number is at most."""

from __future__ import annotations

MONEY_MOST = 10**13
TEXT_MOST = 500
NOTE_MOST = 2_000
# Keys stand in indexes: PostgreSQL takes at most 2,704 bytes there, a key has two ids, a character up to four bytes.
ID_MOST = 100
LINES_MOST = 200
TEXTS_MOST = 50
QUANTITY_MOST = 10**6
REVISION_MOST = 1_000
ERRORS_MOST = 100
AHEAD_US = 600 * 10**6  # tills' clocks differ; ten minutes of it are forgiven
EARLIEST_US = 631_152_000 * 10**6  # 1990-01-01 UTC: before any of these dealers kept files
