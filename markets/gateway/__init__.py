"""The engine's clients: `Gateway` blocks (DRF, Celery, commands), `AsyncGateway` pipelines (consumers, hot lane)."""

from markets.gateway.blocking import Gateway
from markets.gateway.pipelined import AsyncGateway, Message
from markets.gateway.shared import async_gateway, gateway

__all__ = ["AsyncGateway", "Gateway", "Message", "async_gateway", "gateway"]
