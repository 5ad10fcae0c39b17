"""Everything under /api/v1/. A route that is added here needs its rows in tests/test_permissions.py."""

from django.urls import include, path, re_path

from quantdesk.api import schema

urlpatterns = [
    path("", include("markets.api.urls")),
    path("", include("oracle.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("trading.api.urls")),
    path("chain/", include("chain.api.urls")),
    path("schema/", schema.SchemaView.as_view(), name="api-schema"),
    path("docs/", schema.docs, name="api-docs"),
    re_path(r"", schema.NotFoundView.as_view()),
]
