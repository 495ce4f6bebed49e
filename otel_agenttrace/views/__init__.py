"""A trace as text, bars or a page: pure functions of spans."""
