class ServerError(Exception):
    """An embedded server could not be installed, started or stopped; the message is one line for a person."""
