class ConfigurationError(Exception):
    """A setting is missing or wrong; the message says which, and what would be right."""
