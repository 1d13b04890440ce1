"""The life of a call, whoever makes it: allow, validate, confirm, send, shape, record."""
