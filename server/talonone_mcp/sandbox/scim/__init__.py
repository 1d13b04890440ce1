"""What an identity provider sees."""
