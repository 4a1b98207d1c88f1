"""The command line: one module a command, wiring only. Each has a click command or group named `command`."""
