from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/login/", views.log_in, name="login"),
    path("accounts/register/", views.register, name="register"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("account/", views.account, name="account"),
    path("account/deposit/", views.deposit, name="deposit"),
    path("account/api-keys/", views.api_key_create, name="api-key-create"),
    path("account/api-keys/<str:key_id>/revoke/", views.api_key_revoke, name="api-key-revoke"),
]
