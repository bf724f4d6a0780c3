"""The dealer's policy as it is written, tried and published. What is where:

published          versions (what is in force from when), drafts; wording (what it calls things)
before that        examination → examples → cast (played in memory), expected, failures (and why), coverage
what it changes    backtest (had it ruled for a year)
in Excel           sheets (its numbers as tables) → workbook; takeback, cells (back into the file)
"""
