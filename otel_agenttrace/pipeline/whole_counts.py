"""All tokens of a call, where the emitter counts some kinds of them beside the others.

OTel and OpenAI count cached tokens as input and those of reasoning as output. Anthropic and Bedrock count cached ones
beside the input, Gemini thoughts beside the output; many emitters write down what they are given.
https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-usage-input-tokens
"""

from __future__ import annotations


def whole_counts(
    input_tokens: int | None,
    output_tokens: int | None,
    *,
    cached: int,
    reasoning: int,
    total: int | None,
    uncached_input: int | None,
) -> tuple[int | None, int | None]:
    """Return all tokens that went in and all that came out.

    Parts stand beside a count where there are more of them than it says, where the emitter is known to leave them out,
    or where the total lacks exactly them, unless cached tokens and those of reasoning are as many. Counts that are
    whole already stay as they are.

    Args:
        input_tokens: as the emitter counts them; None if it does not.
        output_tokens: as above.
        cached: tokens read out of the cache or put into it.
        reasoning: tokens of reasoning.
        total: of all tokens, as the emitter counts them.
        uncached_input: what `input_tokens` is where it is known to be without cached ones.
    """
    is_telling = cached != reasoning
    if input_tokens is not None and (cached > input_tokens or input_tokens == uncached_input):
        input_tokens, cached = input_tokens + cached, 0
    if uncached_input is not None:
        cached = 0
    if output_tokens is not None and reasoning > output_tokens:
        output_tokens, reasoning = output_tokens + reasoning, 0
    if total is None or input_tokens is None or not is_telling:
        return input_tokens, output_tokens
    lacking = total - input_tokens - (output_tokens or 0)
    if cached and lacking in (cached, cached + reasoning):
        input_tokens += cached
    if reasoning and output_tokens is not None and lacking in (reasoning, cached + reasoning):
        output_tokens += reasoning
    return input_tokens, output_tokens
