"""Staff's pages of the chain; Django looks for them here."""

from chain.custody import admin as custody_admin  # noqa: F401 - registers its pages
from chain.settlement import admin as settlement_admin  # noqa: F401
