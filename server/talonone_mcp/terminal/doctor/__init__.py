"""Examines an installation: the configuration, this machine, the keys and the way to Talon.One.

`origins` and `machine` look at what is here, `probes` chooses reads from the catalog, `reaching`
makes them, `verdicts` says what they mean, and `report` shows it all to a person or a script.
"""
