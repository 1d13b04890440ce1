"""An embedded Talon.One: upstream's answers, from a store of its own, with a demo account in it."""
