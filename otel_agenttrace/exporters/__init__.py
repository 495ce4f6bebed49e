"""SDK SpanExporters of this package."""
