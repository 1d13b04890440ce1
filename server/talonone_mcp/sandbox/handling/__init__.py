"""What the handlers of all operations share."""
