"""How Alembic runs here: on a connection that is handed in, in the caller's transaction."""

from alembic import context

from tierengine.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can roll a schema change back too, given a real BEGIN; Alembic assumes it cannot.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
