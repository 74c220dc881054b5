"""What Alembic runs: migrate the connection that it was given, in the transaction that is open."""

from alembic import context

from sweeper.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes most things about a table only by making it anew
)
context.run_migrations()
