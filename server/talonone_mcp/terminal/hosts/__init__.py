"""The programs that start this server, and the files in which each is told to.

`known` is what is known of each, as data; `machine` finds their files here. `launch` and `entry`
are what is written, `json_file` and `toml_file` write it into a text, `editing` chooses between the
two, `files` reads and replaces files, and `undo` finds what a file was before.
"""
