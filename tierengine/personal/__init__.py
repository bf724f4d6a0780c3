"""Personal data: names, phones, contacts, notes and free text, each member's under a key of his own. What is where:

keystore   the members' keys, outside the book and its dumps: a file beside it, or a database of their own
vault      sealing and opening with these keys; digests by which a phone or a name is found
records    a member's name, phones, company contact and note in the book's `personal` table
texts      the free text of events and commands, kept apart from them
checks     whether book and keys fit together, for `verify`
erasure    destroying a member's key; who was erased
"""
