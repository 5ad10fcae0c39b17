"""Serve an application as `manage.py web` serves ours: python -m bench.server PORT MODULE:NAME."""

import sys

import uvicorn

from quantdesk.management.commands.web import SERVER


def main() -> None:
    port, application = sys.argv[1:]
    factory = not application.startswith("bench.echo")
    uvicorn.run(application, port=int(port), factory=factory, log_level="error", **SERVER)


if __name__ == "__main__":
    main()
