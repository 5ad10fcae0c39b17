"""One ASGI application: the hot lane and sockets first, Django for the rest."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
application = get_asgi_application()
