"""Between HTTP and the handlers: routes, credentials, arguments, limits and logs."""
