"""Every attribute and event name this package reads or writes, as constants.

A name is a `str`, so the constant *is* the wire name. What a name means, its type and its rules stand in
`registry/*.yaml`; a test keeps the two in step. Nothing is loaded or computed here: agents import this module.

The GenAI conventions (https://opentelemetry.io/docs/specs/semconv/gen-ai/) are in development and still rename things,
so their names are spelled here and nowhere else, old ones included.
"""

from __future__ import annotations


class Attribute(str):
    """The name of an attribute in the registry."""

    __slots__ = ()


class EventName(str):
    """The name of a span event in the registry."""

    __slots__ = ()


# Tasks: a span with `task.status` is a task span.
PROJECT_ID = Attribute("project.id")
TASK_ID = Attribute("task.id")
TASK_PARENT_ID = Attribute("task.parent_id")
TASK_PHASE = Attribute("task.phase")
TASK_STATUS = Attribute("task.status")
TASK_TITLE = Attribute("task.title")
TASK_TYPE = Attribute("task.type")
TASK_ACCEPTANCE = Attribute("task.acceptance")
TASK_TIMEOUT_MS = Attribute("task.timeout_ms")
TASK_DEPENDS_ON = Attribute("task.depends_on")
TASK_BLOCKED_REASON = Attribute("task.blocked_reason")
TASK_NEXT_ACTION = Attribute("task.next_action")
TASK_BLOCKED_ON_SPAN_ID = Attribute("task.blocked_on_span_id")
TASK_ENDED_REASON = Attribute("task.ended_reason")
TASK_COMMENT_TEXT = Attribute("task.comment.text")
TASK_COMMENT_AUTHOR = Attribute("task.comment.author")

# What phases consume, measure, decide and make.
INPUT_SOURCE_CHECKSUM = Attribute("input.source_checksum")
INPUT_ARTIFACT_MANIFEST_CHECKSUM = Attribute("input.artifact_manifest_checksum")
INPUT_PROJECT_CONTEXT_CHECKSUM = Attribute("input.project_context_checksum")
QUALITY_COVERAGE_PERCENT = Attribute("quality.coverage_percent")
QUALITY_GAP_COUNT = Attribute("quality.gap_count")
QUALITY_FEATURE_COUNT = Attribute("quality.feature_count")
ROUTING_COMPLEXITY_SCORE = Attribute("routing.complexity_score")
ROUTING_SELECTED_PATH = Attribute("routing.selected_path")
OUTPUT_PATH_COUNT = Attribute("output.path_count")
OUTPUT_ARTIFACT_COUNT = Attribute("output.artifact_count")
OUTPUT_FINALIZE_STATUS = Attribute("output.finalize_status")
OUTPUT_ARTIFACT_CHECKSUMS = Attribute("output.artifact_checksums")

# Grouping.
SESSION_ID = Attribute("session.id")
USER_ID = Attribute("user.id")
RUN_ID = Attribute("run.id")
TRIAL_INDEX = Attribute("trial.index")
SCENARIO_NAME = Attribute("scenario.name")
SCENARIO_HASH = Attribute("scenario.hash")

# Gates.
GATE_ID = Attribute("gate.id")
GATE_RESULT = Attribute("gate.result")
GATE_SEVERITY = Attribute("gate.severity")
GATE_BLOCKING = Attribute("gate.blocking")
GATE_REASON = Attribute("gate.reason")
GATE_NEXT_ACTION = Attribute("gate.next_action")
GATE_EVIDENCE = Attribute("gate.evidence")
GATE_OVERRIDDEN_BY = Attribute("gate.overridden_by")
GATE_OVERRIDE_REASON = Attribute("gate.override_reason")

# Handoffs: the fields of HandoffContract.
HANDOFF_ID = Attribute("handoff.id")
HANDOFF_FROM_AGENT = Attribute("handoff.from_agent")
HANDOFF_TO_AGENT = Attribute("handoff.to_agent")
HANDOFF_CAPABILITY_ID = Attribute("handoff.capability_id")
HANDOFF_INPUTS = Attribute("handoff.inputs")
HANDOFF_EXPECTED_OUTPUT_TYPE = Attribute("handoff.expected_output.type")
HANDOFF_EXPECTED_OUTPUT_SCHEMA_REF = Attribute("handoff.expected_output.schema_ref")
HANDOFF_PRIORITY = Attribute("handoff.priority")
HANDOFF_STATUS = Attribute("handoff.status")
HANDOFF_RESULT_TRACE_ID = Attribute("handoff.result_trace_id")
HANDOFF_ERROR = Attribute("handoff.error")
HANDOFF_CREATED_AT = Attribute("handoff.created_at")
HANDOFF_DEADLINE = Attribute("handoff.deadline")

# Failures, written by the pipeline.
FAILURE_ID = Attribute("failure.id")
FAILURE_TYPE = Attribute("failure.type")
FAILURE_SUBJECT = Attribute("failure.subject")
FAILURE_ORIGIN_SPAN_ID = Attribute("failure.origin_span_id")
FAILURE_RECOVERED = Attribute("failure.recovered")

# General OTel conventions.
SERVICE_NAME = Attribute("service.name")
ERROR_TYPE = Attribute("error.type")
EXCEPTION_TYPE = Attribute("exception.type")
EXCEPTION_MESSAGE = Attribute("exception.message")
EXCEPTION_STACKTRACE = Attribute("exception.stacktrace")
EXCEPTION_ESCAPED = Attribute("exception.escaped")
CODE_FILE_PATH = Attribute("code.file.path")
CODE_LINE_NUMBER = Attribute("code.line.number")
CODE_FUNCTION_NAME = Attribute("code.function.name")
HTTP_RESPONSE_STATUS_CODE = Attribute("http.response.status_code")
HTTP_STATUS_CODE = Attribute("http.status_code")  # until semconv 1.23
RPC_RESPONSE_STATUS_CODE = Attribute("rpc.response.status_code")
RPC_GRPC_STATUS_CODE = Attribute("rpc.grpc.status_code")  # until semconv 1.39
RPC_JSONRPC_ERROR_CODE = Attribute("rpc.jsonrpc.error_code")  # until semconv 1.39
MCP_METHOD_NAME = Attribute("mcp.method.name")

# GenAI conventions.
GEN_AI_OPERATION_NAME = Attribute("gen_ai.operation.name")
GEN_AI_PROVIDER_NAME = Attribute("gen_ai.provider.name")
GEN_AI_SYSTEM = Attribute("gen_ai.system")  # now gen_ai.provider.name
GEN_AI_REQUEST_MODEL = Attribute("gen_ai.request.model")
GEN_AI_RESPONSE_MODEL = Attribute("gen_ai.response.model")
GEN_AI_RESPONSE_ID = Attribute("gen_ai.response.id")
GEN_AI_RESPONSE_FINISH_REASONS = Attribute("gen_ai.response.finish_reasons")
GEN_AI_CONVERSATION_ID = Attribute("gen_ai.conversation.id")
GEN_AI_AGENT_ID = Attribute("gen_ai.agent.id")
GEN_AI_AGENT_NAME = Attribute("gen_ai.agent.name")
GEN_AI_AGENT_DESCRIPTION = Attribute("gen_ai.agent.description")
GEN_AI_WORKFLOW_NAME = Attribute("gen_ai.workflow.name")
GEN_AI_TOOL_NAME = Attribute("gen_ai.tool.name")
GEN_AI_TOOL_TYPE = Attribute("gen_ai.tool.type")
GEN_AI_TOOL_DESCRIPTION = Attribute("gen_ai.tool.description")
GEN_AI_TOOL_DEFINITIONS = Attribute("gen_ai.tool.definitions")
GEN_AI_TOOL_CALL_ID = Attribute("gen_ai.tool.call.id")
GEN_AI_TOOL_CALL_ARGUMENTS = Attribute("gen_ai.tool.call.arguments")
GEN_AI_TOOL_CALL_RESULT = Attribute("gen_ai.tool.call.result")
GEN_AI_INPUT_MESSAGES = Attribute("gen_ai.input.messages")
GEN_AI_OUTPUT_MESSAGES = Attribute("gen_ai.output.messages")
GEN_AI_SYSTEM_INSTRUCTIONS = Attribute("gen_ai.system_instructions")
GEN_AI_PROMPT = Attribute("gen_ai.prompt")  # now gen_ai.input.messages
GEN_AI_COMPLETION = Attribute("gen_ai.completion")  # now gen_ai.output.messages
GEN_AI_USAGE_INPUT_TOKENS = Attribute("gen_ai.usage.input_tokens")
GEN_AI_USAGE_OUTPUT_TOKENS = Attribute("gen_ai.usage.output_tokens")
GEN_AI_USAGE_PROMPT_TOKENS = Attribute("gen_ai.usage.prompt_tokens")  # now gen_ai.usage.input_tokens
GEN_AI_USAGE_COMPLETION_TOKENS = Attribute("gen_ai.usage.completion_tokens")  # now gen_ai.usage.output_tokens
GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = Attribute("gen_ai.usage.cache_read.input_tokens")
GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = Attribute("gen_ai.usage.cache_write.input_tokens")
GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS = Attribute("gen_ai.usage.cache_creation.input_tokens")  # now cache_write
GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = Attribute("gen_ai.usage.reasoning.output_tokens")
GEN_AI_USAGE_COST = Attribute("gen_ai.usage.cost")  # US dollars; in no convention, but what emitters use
GEN_AI_EVALUATION_NAME = Attribute("gen_ai.evaluation.name")
GEN_AI_EVALUATION_SCORE_VALUE = Attribute("gen_ai.evaluation.score.value")
GEN_AI_EVALUATION_SCORE_LABEL = Attribute("gen_ai.evaluation.score.label")
GEN_AI_EVALUATION_EXPLANATION = Attribute("gen_ai.evaluation.explanation")

# This package's own.
AGENTTRACE_REVISION = Attribute("agenttrace.revision")
AGENTTRACE_ENDED_BY = Attribute("agenttrace.ended_by")
AGENTTRACE_OUTLIVES_PROCESS = Attribute("agenttrace.outlives_process")
AGENTTRACE_CONTRACT_ATTRIBUTE = Attribute("agenttrace.contract.attribute")
AGENTTRACE_CONTRACT_RULE = Attribute("agenttrace.contract.rule")
AGENTTRACE_CONTRACT_MESSAGE = Attribute("agenttrace.contract.message")
AGENTTRACE_INPUT = Attribute("agenttrace.input")
AGENTTRACE_OUTPUT = Attribute("agenttrace.output")
AGENTTRACE_SESSION_TASK = Attribute("agenttrace.session.task")
AGENTTRACE_SESSION_STATUS = Attribute("agenttrace.session.status")
AGENTTRACE_STORED_ENTRY = Attribute("agenttrace.stored_entry")
AGENTTRACE_STORED_FAILURE = Attribute("agenttrace.stored_failure")
AGENTTRACE_STORED_STEP = Attribute("agenttrace.stored_step")
AGENTTRACE_EVENT_DATA = Attribute("agenttrace.event.data")
AGENTTRACE_EVENT_DURATION_MS = Attribute("agenttrace.event.duration_ms")
AGENTTRACE_COST_USD = Attribute("agenttrace.cost_usd")
AGENTTRACE_REDACTED = Attribute("agenttrace.redacted")
AGENTTRACE_TRUNCATED = Attribute("agenttrace.truncated")

# Verdicts: what is found out about a whole trace, as a span of its own.
SPAN_VERDICT = "agenttrace.verdict"
AGENTTRACE_VERDICT_STATUS = Attribute("agenttrace.verdict.status")
AGENTTRACE_VERDICT_SPAN_COUNT = Attribute("agenttrace.verdict.span_count")
AGENTTRACE_VERDICT_ERROR_COUNT = Attribute("agenttrace.verdict.error_count")
AGENTTRACE_VERDICT_DURATION_MS = Attribute("agenttrace.verdict.duration_ms")
AGENTTRACE_VERDICT_FAILURE_IDS = Attribute("agenttrace.verdict.failure_ids")
AGENTTRACE_VERDICT_FAILURE_COUNT = Attribute("agenttrace.verdict.failure_count")
AGENTTRACE_VERDICT_RECOVERED_COUNT = Attribute("agenttrace.verdict.recovered_count")
AGENTTRACE_VERDICT_INPUT_TOKENS = Attribute("agenttrace.verdict.input_tokens")
AGENTTRACE_VERDICT_OUTPUT_TOKENS = Attribute("agenttrace.verdict.output_tokens")
AGENTTRACE_VERDICT_COST_USD = Attribute("agenttrace.verdict.cost_usd")
AGENTTRACE_VERDICT_COST_COMPLETE = Attribute("agenttrace.verdict.cost_complete")
AGENTTRACE_VERDICT_FLAGS = Attribute("agenttrace.verdict.flags")
AGENTTRACE_VERDICT_JUDGED_SPAN_ID = Attribute("agenttrace.verdict.judged_span_id")
AGENTTRACE_FLAG_KIND = Attribute("agenttrace.flag.kind")
AGENTTRACE_FLAG_SPAN_ID = Attribute("agenttrace.flag.span_id")
AGENTTRACE_FLAG_MESSAGE = Attribute("agenttrace.flag.message")
AGENTTRACE_FLAG_EVIDENCE = Attribute("agenttrace.flag.evidence")

# Events.
EVENT_EXCEPTION = EventName("exception")
EVENT_EVALUATION_RESULT = EventName("gen_ai.evaluation.result")
EVENT_CONTRACT_VIOLATION = EventName("agenttrace.contract.violation")
EVENT_FLAG = EventName("agenttrace.flag")
EVENT_TASK_TIMEOUT = EventName("agenttrace.task.timeout")
EVENT_TASK_COMMENT = EventName("task.comment")
EVENT_TASK_STATUS_CHANGED = EventName("task.status_changed")
EVENT_GATE_CHECK_STARTED = EventName("gate.check.started")
EVENT_GATE_CHECK_PASSED = EventName("gate.check.passed")
EVENT_GATE_CHECK_FAILED = EventName("gate.check.failed")
EVENT_GATE_CHECK_SKIPPED = EventName("gate.check.skipped")
EVENT_GATE_CHECK_OVERRIDDEN = EventName("gate.check.overridden")
EVENT_HANDOFF_EMITTED = EventName("handoff.emitted")
EVENT_HANDOFF_VALIDATED = EventName("handoff.validated")

# Agent events: `agent.` and the type.
EVENT_AGENT_PREFIX = "agent."
EVENT_AGENT_STATE_CHANGE = EventName("agent.state_change")
EVENT_AGENT_PLAN_CREATED = EventName("agent.plan_created")
EVENT_AGENT_STEP_STARTED = EventName("agent.step_started")
EVENT_AGENT_STEP_COMPLETED = EventName("agent.step_completed")
EVENT_AGENT_TOOL_CALLED = EventName("agent.tool_called")
EVENT_AGENT_TOOL_RESULT = EventName("agent.tool_result")
EVENT_AGENT_MESSAGE = EventName("agent.message")
EVENT_AGENT_ERROR = EventName("agent.error")
EVENT_AGENT_BUDGET_WARNING = EventName("agent.budget_warning")
EVENT_AGENT_BUDGET_EXCEEDED = EventName("agent.budget_exceeded")
EVENT_AGENT_ITERATION_LIMIT = EventName("agent.iteration_limit")
EVENT_AGENT_COMPLETED = EventName("agent.completed")
EVENT_AGENT_CANCELLED = EventName("agent.cancelled")
EVENT_AGENT_MODEL_SELECTED = EventName("agent.model_selected")
EVENT_AGENT_MODEL_SWITCHED = EventName("agent.model_switched")
EVENT_AGENT_TRACE_STARTED = EventName("agent.trace_started")
EVENT_AGENT_TRACE_ENDED = EventName("agent.trace_ended")
