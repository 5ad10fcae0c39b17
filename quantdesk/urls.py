from django.contrib import admin
from django.urls import include, path

from quantdesk import health
from quantdesk.favicon import favicon
from risk.udf import TimescaleMarksView

admin.site.site_title = "QuantDesk"
admin.site.site_header = "QuantDesk administration"
admin.site.index_title = "Everything that staff see and change"

urlpatterns = [
    path("favicon.ico", favicon),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("quantdesk.api_urls")),
    path("udf/", include("markets.udf.urls")),
    path("udf/timescale_marks", TimescaleMarksView.as_view()),
    path("", include("markets.urls")),
    path("", include("accounts.urls")),
    path("", include("trading.urls")),
    path("", include("chain.urls")),  # after trading's, whose numbers it uses
    path("risk/", include("trading.risk_urls")),
]
# In the API's own shape under /api/, as Django renders them elsewhere.
handler400 = "quantdesk.api.errors.bad_request"
handler403 = "quantdesk.api.errors.forbidden"
handler404 = "quantdesk.api.errors.not_found"
handler500 = "quantdesk.api.errors.server_error"
