"""The spool: an append-only log on the local disk, one for each process, in which a span is when `end()` returns."""
