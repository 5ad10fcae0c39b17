from django.apps import AppConfig


class ChainConfig(AppConfig):
    name = "chain"

    def ready(self) -> None:
        from chain.custody import reviews
        from chain.settlement import decisions, metrics, openings

        reviews.register_kinds()
        decisions.register_kinds()
        metrics.register()
        openings.register()
