"""What customers do: carts and events, and the rules that apply to them."""
