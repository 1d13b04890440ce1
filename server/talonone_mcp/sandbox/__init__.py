"""An embedded Talon.One: it answers as upstream does, from its own store and a demo account."""
