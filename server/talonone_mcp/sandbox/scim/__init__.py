"""Users and groups as an identity provider sees them."""
