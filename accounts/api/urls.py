from django.urls import path

from accounts.api import views

urlpatterns = [
    path("api-keys/", views.ApiKeyListView.as_view()),
    path("api-keys/<str:key_id>/", views.ApiKeyDetailView.as_view()),
]
