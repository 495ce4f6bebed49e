"""The `agenttrace` command, one file per noun."""
