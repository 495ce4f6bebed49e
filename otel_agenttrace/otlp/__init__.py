"""OTLP protobuf and JSON to and from SpanRecord; no I/O."""
