"""Credit and points: wallets, lots, entries, and the invariants that hold of them. What is where:

a member's book    book (what it does) → wallets → entries, lots; holds
when it ends       deadlines, lapses (whose ends are to be posted); effective (as against when it was written down)
the whole book     journal (as plain accounting), liability (what is owed)
the seals          chain, sealed (what stands for a row), sealing; lost (what anchors tell of and the book has not)
whether it holds   verify → invariants
"""
