"""The history of the schema, for both databases; run by `tierengine.store.migrating`."""
