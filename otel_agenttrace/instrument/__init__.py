"""What agent code calls: spans, events, sessions, failure detection."""
