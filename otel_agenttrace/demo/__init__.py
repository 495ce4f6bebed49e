"""Small agents over real HTTP that fail on purpose."""
