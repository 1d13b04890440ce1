"""The life of a call, whoever makes it: allowed, valid, confirmed, sent, shaped, recorded."""
