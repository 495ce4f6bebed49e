"""A flight recorder for AI agents that speaks only OpenTelemetry."""
