"""The settings that come from the environment: typed, all listed in .env.example, refused at start when wrong."""

import os
from pathlib import Path
from typing import Literal

import msgspec

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_SECRET_KEY = "demo-only-" + "0" * 54


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message says which, and what would be right."""


class Environment(msgspec.Struct, frozen=True, kw_only=True, rename="upper"):
    """Each field is the environment variable of the same name in capitals."""

    environment: Literal["demo", "test", "production"] = "demo"
    debug: bool = False
    secret_key: str = DEMO_SECRET_KEY
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    csrf_trusted_origins: str = ""
    database_url: str = ""
    redis_url: str = ""
    engine_url: str = ""
    data_dir: str = str(BASE_DIR / ".desk")
    oracle_feed: Literal["auto", "hermes", "coingecko", "sim"] = "auto"
    hermes_url: str = "https://hermes.pyth.network"
    hermes_api_key: str = ""
    coingecko_url: str = "https://api.coingecko.com"
    coingecko_api_key: str = ""
    solana_rpc_url: str = ""
    engine_queue_limit: int = 20_000
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def read(source: dict[str, str]) -> Environment:
    """Return the settings in `source`; ConfigurationError names the variable that is wrong."""
    names = {field.encode_name for field in msgspec.structs.fields(Environment)}
    try:
        return msgspec.convert({k: v for k, v in source.items() if k in names and v != ""}, Environment, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from error


env = read(dict(os.environ))
