"""Celery's application; the schedule is in the settings, the tasks in each app."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
app = Celery("quantdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
