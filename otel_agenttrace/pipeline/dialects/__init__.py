"""The words of each emitter family for the canonical fields, one file each."""
