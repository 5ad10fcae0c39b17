class DeskError(Exception):
    """The desk cannot start or go on; the message is one line for a person."""


class Stopped(Exception):
    """Somebody asked the desk to stop."""
