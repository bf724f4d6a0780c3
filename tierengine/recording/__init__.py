"""The one way into the book: items are taken in, resolved, folded and written by the group writer."""
