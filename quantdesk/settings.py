"""Django's settings, from quantdesk.env. One set for demo, test and production; production refuses what is unsafe."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from quantdesk import logs
from quantdesk.embedded import addresses, roles, secret
from quantdesk.embedded.places import run_folder
from quantdesk.env import BASE_DIR, DEMO_SECRET_PREFIX, env
from quantdesk.errors import ConfigurationError


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a postgresql:// URL; a socket folder is given as ?host=/folder."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "OPTIONS": query,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def broker(url: str) -> str:
    """Return Celery's spelling of a Redis URL."""
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=") if url.startswith("unix:") else url


def secret_key() -> str:
    """Return the key of the environment; a demo makes its own at the first start."""
    if env.secret_key:
        return env.secret_key
    try:
        return secret.read_or_create(DATA_DIR / "secrets" / "secret_key", prefix=DEMO_SECRET_PREFIX)
    except OSError as error:
        raise ConfigurationError(f"DATA_DIR must be a folder that can be written to; {DATA_DIR}: {error.strerror}") from error


PRODUCTION = env.environment == "production"
TESTING = env.environment == "test"
DEBUG = env.debug
DATA_DIR = Path(env.data_dir).resolve()
SECRET_KEY = secret_key()
ALLOWED_HOSTS = env.allowed_hosts.split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in env.csrf_trusted_origins.split(",") if origin]
RUN_DIR = run_folder(DATA_DIR)
ENGINE_URL = env.engine_url or f"unix://{RUN_DIR / 'engine.sock'}"
ENGINE_QUEUE_LIMIT = env.engine_queue_limit
ENGINE_METRICS_PORT = env.engine_metrics_port
# Without servers of one's own, those that the desk starts for this data folder.
EMBEDDED_POSTGRES = not env.database_url
EMBEDDED_VALKEY = not env.redis_url
DATABASE_URL = env.database_url or addresses.postgres_url(DATA_DIR, roles.APPLICATION)
DATABASE_OWNER_URL = env.database_owner_url or (addresses.postgres_url(DATA_DIR, roles.OWNER) if EMBEDDED_POSTGRES else DATABASE_URL)
ORACLE_FEED = env.oracle_feed
HERMES_URL, HERMES_API_KEY = env.hermes_url, env.hermes_api_key
COINGECKO_URL, COINGECKO_API_KEY = env.coingecko_url, env.coingecko_api_key
PYTH_SOLANA_RPC_URL, PYTH_SOLANA_SHARD, PYTH_LEGACY_RPC_URL = env.pyth_solana_rpc_url, env.pyth_solana_shard, env.pyth_legacy_rpc_url
# Without a node of one's own, manage.py localnet: the desk starts it, and deployment.json tells where it serves.
LOCALNET = not env.solana_rpc_url
SOLANA_RPC_URL = env.solana_rpc_url or "http://127.0.0.1:8899"
# The chain is on when this folder holds a deployment.json; the keys beside it are the operator's.
CHAIN_DIR = Path(env.chain_dir).resolve() if env.chain_dir else DATA_DIR / "chain"
# The programs that it settles on: what was built, and the IDLs.
CHAIN_PROGRAMS = Path(env.chain_programs).resolve() if env.chain_programs else BASE_DIR / "chain" / "programs"
PROOF_RETENTION_DAYS = env.proof_retention_days
METRICS_TOKEN = env.metrics_token
SOCKETS_PER_USER = env.sockets_per_user
SOCKETS_PER_ADDRESS = env.sockets_per_address
REDIS_URL = env.redis_url or addresses.valkey_url(DATA_DIR)

INSTALLED_APPS = [
    *(["daphne"] if DEBUG else []),  # the development server behind runserver; its imports would slow every other process
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "django_prometheus",
    "markets",
    "oracle",
    "accounts",
    "risk",
    "trading",
    "chain",
    "quantdesk",
]
MIDDLEWARE = [
    "quantdesk.request_id.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "quantdesk.api.middleware.RateLimitMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "quantdesk.urls"
ASGI_APPLICATION = "quantdesk.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]
DATABASES = {"default": database(DATABASE_URL)}
if DATABASE_OWNER_URL != DATABASE_URL:
    DATABASES["owner"] = database(DATABASE_OWNER_URL)
# Migrations and partitions go through this alias: the application's role owns no table.
DATABASE_OWNER = "owner" if "owner" in DATABASES else "default"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.login_limit.LoginLimit", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/trade/BTC-PERP/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
# Tests and development read the sources; everything else serves what collectstatic hashed and compressed.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "quantdesk.static_storage.HashedStaticFilesStorage"
    },
}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}

CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1_800}  # longer than any task: none is handed out twice while it runs
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# The chain's tasks wait for blocks: they have a queue, and workers with threads, of their own (worker --queue chain --threads 6).
CELERY_TASK_ROUTES = {"chain.tasks.*": {"queue": "chain"}}
# What was not begun when the next run is due is dropped: after an outage nothing runs ten times over.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": schedule, "options": {"expires": expires_s}}
    for name, task, schedule, expires_s in (
        ("oracle polling", "oracle.tasks.poll_prices", 30.0, 25),
        ("clock tick", "trading.tasks.let_time_pass", 60.0, 50),
        ("liquidation sweep", "trading.tasks.sweep_liquidations", 60.0, 50),
        ("approvals", "accounts.tasks.execute_approvals", 10.0, 8),
        ("risk watch", "risk.tasks.watch_risk", 60.0, 50),
        ("risk retention", "risk.tasks.forget_risk", crontab(minute="37", hour="3"), 3_600),
        ("snapshot", "trading.tasks.request_snapshot", crontab(minute="*/10"), 300),
        ("candle roll-up check", "markets.tasks.check_candles", crontab(minute="7"), 1_800),
        ("partition upkeep", "trading.tasks.keep_partitions", crontab(minute="27"), 1_800),
        ("journal archive", "trading.tasks.archive_journal", crontab(minute="47"), 1_800),
    )
}
# Beat adds these where the chain is on when it starts.
CHAIN_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": schedule, "options": {"expires": expires_s}}
    for name, task, schedule, expires_s in (
        ("chain prices", "chain.tasks.publish_prices", 4.0, 4),
        ("custody", "chain.tasks.keep_custody", 10.0, 9),
        ("settlement", "chain.tasks.settle_journal", 10.0, 9),
        ("reconciliation", "chain.tasks.reconcile_chain", 60.0, 50),
        ("settlement retention", "chain.tasks.forget_settled", crontab(minute="17", hour="4"), 3_600),
        ("keepers", "chain.tasks.keep_exchange", 20.0, 18),
    )
}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.HmacAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.authentication.MayUse"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.rates.RateThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "markets.api.requests.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_RENDERER_CLASSES": ["markets.api.requests.MsgspecRenderer"],
    "DEFAULT_PARSER_CLASSES": ["markets.api.requests.UnreadParser"],
    "EXCEPTION_HANDLER": "quantdesk.api.errors.handle",
}
# Tokens that a bucket holds, and how many a second fill it: reads and orders by account, the address for who is anonymous.
RATE_LIMITS = {
    "reads": (1_200, 100),
    "orders": (3_000, 500),
    "address": (1_200, 50),
    "logins_by_name": (20, 1 / 30),
    "logins_by_address": (100, 1 / 5),
    "registrations": (50, 1 / 20),
    "chain": (120, 2),
    "faucet": (10, 1 / 60),
    "wallets": (300, 1 / 10),  # of everybody together: the exchange pays for each one's place on chain
}
SPECTACULAR_SETTINGS = {
    "TITLE": "QuantDesk",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["quantdesk.api.schema.add_components"],
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # probes inside the cluster speak plain HTTP
X_FRAME_OPTIONS = "DENY"

LOGGING = logs.configure(env.log_level)
