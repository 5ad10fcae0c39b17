from django.urls import path

from oracle.api import views

urlpatterns = [
    path("oracle/", views.OracleListView.as_view()),
    path("oracle/<str:symbol>/", views.OracleDetailView.as_view()),
    path("oracle/<str:symbol>/history/", views.OracleHistoryView.as_view()),
]
