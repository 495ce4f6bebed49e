"""SDK SpanProcessors that host the pipeline's stages; each is usable alone."""
