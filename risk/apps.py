from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"

    def ready(self) -> None:
        from risk import disputes, limits

        disputes.register_kinds()
        limits.register_kinds()
