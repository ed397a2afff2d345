"""Databases, for who reads them and who writes to them: how to connect, and what their drivers mean by an error.

Passwords come from the address (`${NAME}` in a rule file), or by libpq itself from `PGPASSWORD` and `~/.pgpass`. What a
driver says may hold them, the user or the SQL, so its words go nowhere: `Refused` has our own.
"""
