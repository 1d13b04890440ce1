"""The programs that start this server, and the configuration files that tell them to.

`known_hosts` describes each host as data, and `platform_paths` finds its file on this machine.
`start_command` and `server_entry` decide what to write. `host_text` reads and changes what a file
says, through `json_editor` (with `json_reader`) or `toml_editor`. `host_files` reads and replaces
the files themselves, and `undo` works out what a file was before `install` changed it.
"""
