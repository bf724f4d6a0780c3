"""Who there is and how he stands. Everything here answers; what is said of members is recorded. What is where:

who there is       people (dealers and members), stores, consents; merging (what the staff say), joined (who is one)
a member read      known → facts → stand (as of a position) → told (with reasons), wallets → view; asker (who asks)
at another time    past (by what is known now, or was then), standings (of many members)
why                reasons; price_reasons, reward_reasons → worth_reasons → demands (what no condition says)
his book           activity (the latest lines), statements (a period)
all that is his    export, export_words
lists to work on   shortlist
"""
