"""The peer of our broadcast: a Channels consumer that joins a group, and channels_redis that sends to it."""

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

GROUP = "bench"


class Subscriber(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Forward every message of the group; the first text of any client is sent to all."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        await self.send(text_data="{}")

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(GROUP, {"type": "tell", "text": text_data})

    async def tell(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


def core() -> Any:
    """Return the ASGI application on the default layer, lists in Redis; for uvicorn --factory."""
    return application("channels_redis.core.RedisChannelLayer")


def pubsub() -> Any:
    """Return the ASGI application on the pub/sub layer; for uvicorn --factory."""
    return application("channels_redis.pubsub.RedisPubSubChannelLayer")


def application(layer: str) -> Any:
    import django
    from django.conf import settings

    django.setup()
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": layer, "CONFIG": {"hosts": [settings.REDIS_URL]}}}
    return Subscriber.as_asgi()
