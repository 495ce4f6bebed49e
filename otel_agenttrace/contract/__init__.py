"""The attribute contract: registry, constants, validation. Imports nothing else of this package."""
