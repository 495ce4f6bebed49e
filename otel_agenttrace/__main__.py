"""`python -m otel_agenttrace` is `agenttrace`."""

from otel_agenttrace.cli.main import main

main()
