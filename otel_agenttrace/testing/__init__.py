"""For tests: the store conformance suite, sinks, and a deterministic clock and ids."""
