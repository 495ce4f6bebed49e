"""SpanRecord, its serialised form, and the projections that users read."""
