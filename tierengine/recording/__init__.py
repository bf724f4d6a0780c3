"""The one way into the book: items are taken in, resolved, folded and written by the group writer. What is where:

who records        writer → queue (whose turn it is), jobs, room, tally; recorder (one group, one transaction) → group;
                   once; sealer
what is asked      items, acts
what is there      reading (locks and reads at once) → locked; lookups, stored; memory, pots
what it changes    intake → resolving → histories (refolding, retelling → decided), emissions; commands, slips →
                   purses, purse, refunds (credit that comes back)
of merged members  joining (who is one with whom), joint (their purses), lending (what is to go back)
paid by credit     credit (what an order takes, and what its holds have for it)
what is written    effects (what a group brought about) → rows, writing, audited; answers, takings
looked at again    rejudging, leaks; all caches anew: rebuilding
"""
