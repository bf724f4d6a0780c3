"""Files of events: read row by row, mapped, recorded."""
