from django.conf import settings
from django.db import models
from django.utils import timezone


class Approval(models.Model):
    """Something that two people decide: one asks, another agrees, and after a delay it is carried out.

    `kind` names what (accounts.approvals.kinds), `payload` with which values, `subject` says it to people.
    """

    STATUSES = [
        ("pending", "Waiting for a second person"),
        ("approved", "Approved, waiting for its delay"),
        ("executing", "Being carried out"),
        ("executed", "Carried out"),
        ("failed", "Failed"),
        ("rejected", "Rejected"),
        ("withdrawn", "Withdrawn"),
    ]

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    reason = models.TextField()
    status = models.CharField(max_length=12, choices=STATUSES, default="pending")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)  # when an approved request may be carried out
    executing_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_approval", "Can approve and reject what others ask for")]
        constraints = [
            models.CheckConstraint(
                name="approval_by_a_second_person",
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("requested_by")) | models.Q(status="withdrawn"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.subject}"


class ApprovalStep(models.Model):
    """What happened to a request, by whom and when. Only ever added."""

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="steps")
    action = models.CharField(max_length=12)  # the status that it led to; "pending" is the request itself
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)  # nobody: the schedule
    note = models.TextField(blank=True)
    happened_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
