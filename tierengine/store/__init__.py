"""Where it is kept: tables, the one SQL dialect for two databases, ids."""
