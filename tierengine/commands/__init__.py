"""The command line, one module a noun: each command reads or does one thing through the modules that the API uses."""
