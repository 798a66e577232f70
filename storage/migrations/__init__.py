"""Alembic's revisions. `storage.store` runs them on a connection of its own; there is no alembic.ini.

A change of the schema is a change of `storage/schema.py`, one new file in `versions/` and the new number in
`storage.store.SCHEMA`; a test holds what the revisions make equal to `storage/schema.py`.
"""
