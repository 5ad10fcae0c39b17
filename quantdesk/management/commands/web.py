from typing import Any, Final

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

SERVER: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": "quantdesk.gathered:HttpProtocol",
    "ws": "websockets-sansio",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "ws_max_size": 1 << 16,
    "ws_per_message_deflate": False,  # costs more CPU and memory than it saves on messages this small
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 4,
}


class Command(BaseCommand):
    help = "Serve pages, API and sockets."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, help="serve on this inherited, listening socket instead of host and port")

    def handle(self, *args: Any, **options: Any) -> None:
        uvicorn.run(
            "quantdesk.asgi:application",
            host=options["host"],
            port=options["port"],
            fd=options["fd"],
            **SERVER,
        )
