"""What `traced_span` and its kind write where no convention has a name."""

from __future__ import annotations

from otel_agenttrace.contract.attributes import AGENTTRACE_INPUT, AGENTTRACE_OUTPUT
from otel_agenttrace.pipeline.dialects.dialect import Dialect

OWN = Dialect(
    name="agenttrace",
    marks=(AGENTTRACE_INPUT, AGENTTRACE_OUTPUT),
    input=(AGENTTRACE_INPUT,),
    output=(AGENTTRACE_OUTPUT,),
)
