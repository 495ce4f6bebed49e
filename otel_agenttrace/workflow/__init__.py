"""Work in phases: checks, gates, pipelines, and what a real export is held against."""
