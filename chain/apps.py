from django.apps import AppConfig


class ChainConfig(AppConfig):
    name = "chain"

    def ready(self) -> None:
        from chain.custody import reviews
        from chain.keepers import metrics as keeper_metrics
        from chain.settlement import decisions, metrics, openings

        reviews.register_kinds()
        decisions.register_kinds()
        metrics.register()
        keeper_metrics.register()
        openings.register()
