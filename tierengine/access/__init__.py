"""Who may come in: keys of programs, logins of the staff and their sessions, and the audit of what they did."""
