"""Events out: what the book tells other systems, signed, in order for each member, at least once.

The outbox is the chain of seals: each transaction leaves what it wrote in `unsealed`, the sealer moves it under one
lock, and a courier follows the seals. So nothing that was committed is passed over, nothing that was not is told, and
recording pays nothing for it. What is where:

whom               endpoints, rotation (of their secrets), address (where one may be)
what               messages (from what was sealed)
how                courier → outbox (due, tried again, replayed), sending; pruning of what was told long ago
"""
