"""Who may come in: keys of programs, logins of the staff and their sessions, the audit of what they did. What is where:

programs           keys
people             staff, passwords, sessions; second (two people for one act)
who asks           callers, by tokens and the server's secret
what they did      audit
"""
