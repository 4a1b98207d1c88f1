"""What Alembic runs: all revisions inside the transaction of the connection that the caller hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
