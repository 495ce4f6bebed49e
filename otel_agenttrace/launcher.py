"""Makes `opentelemetry-instrument` use our configurator, whichever others are installed.

The command loads every module of the entry point group `opentelemetry_environment_variables`, then replaces itself
with the program. Of several configurators the program would use the first it comes across, in no order one could rely
on, and Azure's ends all set-up when it is not given a connection string. Whoever wants another one says so with
`OTEL_PYTHON_CONFIGURATOR`; ours records beside it all the same, see `entrypoints`. Nothing else imports this module.
"""

import os

os.environ.setdefault("OTEL_PYTHON_CONFIGURATOR", "agenttrace")
