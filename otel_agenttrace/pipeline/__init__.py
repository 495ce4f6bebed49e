"""Stages between a span and a store. Span stages need one span, trace stages the whole trace; all are pure."""
