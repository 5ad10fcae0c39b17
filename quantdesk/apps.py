from django.apps import AppConfig


class QuantdeskConfig(AppConfig):
    name = "quantdesk"

    def ready(self) -> None:
        from quantdesk import checks  # noqa: F401 registers them
