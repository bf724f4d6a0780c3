"""Files of events: read row by row, mapped, recorded. What is where:

events             run → files (row by row), mapping (what columns mean), rows (raw events), values (of cells)
opening balances   openings
"""
