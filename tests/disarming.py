"""A book whose triggers are gone, as somebody with all rights would leave it."""

from __future__ import annotations

TRIGGERS = {
    "sqlite": "SELECT tbl_name || '.' || name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def disarm(link):
    """Do as somebody with all rights would: take the triggers away."""
    for (name,) in link.ask(TRIGGERS[link.kind]).rows():
        table, _, trigger = name.partition(".")
        link.begin()
        link.run(f"DROP TRIGGER {trigger}" + (f" ON {table}" if link.kind == "postgresql" else ""))
        link.commit()
