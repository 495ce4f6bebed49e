"""AG2 (AutoGen's successor), which names the kind of a span in a word of its own beside OTel's.

https://docs.ag2.ai/
"""

from __future__ import annotations

from otel_agenttrace.pipeline.dialects.dialect import Dialect

AG2 = Dialect(
    name="ag2",
    marks=("ag2",),
    operation=("ag2.span.type",),
    operations={
        "agent": "invoke_agent",
        "conversation": "invoke_workflow",
        "llm": "chat",
        "multi_conversation": "invoke_workflow",
        "tool": "execute_tool",
    },
    agent_name=("ag2.agent.name",),
)
