"""Examines an installation: the configuration, this machine, the keys and the way to Talon.One.

`settings_table` and `local_checks` look at what is here. `probes` chooses reads from the catalog,
`probe_runs` makes them and `exploration` covers every API and toolset. `conclusions` turns the
results into `findings`, and `report` shows them to a person or a script.
"""
