from django.apps import AppConfig


class ChainConfig(AppConfig):
    name = "chain"

    def ready(self) -> None:
        from chain.custody import reviews

        reviews.register_kinds()
