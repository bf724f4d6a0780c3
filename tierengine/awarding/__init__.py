"""The annual award: ranked, frozen, issued once."""
