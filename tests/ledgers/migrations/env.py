"""Runs the migrations of earlier releases, as they did, on the connection that a test hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
