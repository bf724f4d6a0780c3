"""Where it is kept: tables, the one SQL dialect for two databases, ids. What is where:

the tables         tables (their models) → layout (their columns, generated); migrating, role (who may do what)
a connection       database (opened) → dialect (one SQL), wire (statements in one round trip); snapshots (to read);
                   outages (why it could not)
what is written    rows, ids; within (how an index finds a text in a document)
"""
