"""The wire: one shared HTTP client with authentication, limits and errors."""
