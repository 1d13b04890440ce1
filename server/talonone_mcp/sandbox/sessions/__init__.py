"""What customers do: carts, returns, events and changes of their profiles."""
