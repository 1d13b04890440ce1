"""Applications and their campaigns."""
