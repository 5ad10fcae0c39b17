"""Two people decide, a delay passes, and it is done once; every step is kept."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.approvals import kinds, services
from accounts.approvals.kinds import Kind
from accounts.approvals.models import Approval
from accounts.models import User
from accounts.tasks import execute_approvals
from markets.errors import DomainError, EngineUnavailable, OutcomeUnknown, Refused
from markets.rejects import Reject

pytestmark = pytest.mark.django_db


class Lever:
    """Something to be done: counts how often it was, and fails as it is told."""

    def __init__(self) -> None:
        self.pulled: list[int] = []
        self.ended: list[str] = []
        self.failure: Exception | None = None
        self.known_done = False
        self.unknown = False
        self.overtaken = False

    def is_done(self, approval: Approval) -> bool:
        if self.unknown:
            raise OutcomeUnknown
        return self.known_done

    def execute(self, approval: Approval) -> str:
        if self.overtaken:
            Approval.objects.filter(id=approval.id).update(executing_at=timezone.now())
        if self.failure is not None:
            raise self.failure
        self.pulled.append(approval.payload["size"])
        return "pulled"

    def kind(self, delay: timedelta) -> Kind:
        return Kind(
            name="lever",
            title="Pull the lever",
            permission="accounts.add_account",
            delay=delay,
            execute=self.execute,
            is_done=self.is_done,
            on_end=lambda approval: self.ended.append(approval.status),
        )


@pytest.fixture
def lever(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lever]:
    found = Lever()
    monkeypatch.setitem(kinds._kinds, "lever", found.kind(timedelta(0)))
    yield found


@pytest.fixture
def people() -> Callable[[str], User]:
    """Make staff by name; `asks` may ask for the lever, `decides` may decide."""

    def made(name: str) -> User:
        user = User.objects.create_user(name, is_staff=True)
        wanted = {"asks": ["add_account"], "decides": ["decide_approval"], "both": ["add_account", "decide_approval"]}
        user.user_permissions.set(Permission.objects.filter(codename__in=wanted.get(name.split("_", maxsplit=1)[0], [])))
        return User.objects.get(pk=user.pk)

    return made


def ask(by: User, **payload: Any) -> Approval:
    return services.approval_request(kind="lever", subject="Pull the lever", payload={"size": 7, **payload}, reason="because", by=by)


def test_it_does_what_two_people_want_once(lever: Lever, people: Callable[[str], User]) -> None:
    asking, deciding = people("asks"), people("decides")
    approval = ask(asking)
    assert execute_approvals() == []
    services.approval_approve(approval_id=approval.id, by=deciding, note="agreed")
    assert execute_approvals() == [approval.id]
    assert execute_approvals() == []
    assert lever.pulled == [7]
    approval.refresh_from_db()
    assert (approval.status, approval.decided_by) == ("executed", deciding)
    trail = [(step.action, step.actor, step.note) for step in approval.steps.all()]
    assert trail == [("pending", asking, "because"), ("approved", deciding, "agreed"), ("executed", None, "pulled")]
    assert lever.ended == ["executed"]


def test_it_lets_nobody_decide_what_they_asked_for(lever: Lever, people: Callable[[str], User]) -> None:
    both = people("both")
    approval = ask(both)
    for decide in (services.approval_approve, services.approval_reject):
        with pytest.raises(services.SecondPersonRequired):
            decide(approval_id=approval.id, by=both, note="me again")
    with pytest.raises(IntegrityError, match="approval_by_a_second_person"):
        Approval.objects.filter(id=approval.id).update(decided_by=both, status="approved")


@pytest.mark.parametrize("name", ["asks_not", "stranger"])
def test_it_asks_for_permissions(lever: Lever, people: Callable[[str], User], name: str) -> None:
    approval = ask(people("asks"))
    other = people(name)
    with pytest.raises(services.NotPermitted):
        services.approval_approve(approval_id=approval.id, by=other)
    with pytest.raises(services.NotPermitted):
        services.approval_withdraw(approval_id=approval.id, by=other)
    if name == "stranger":
        with pytest.raises(services.NotPermitted):
            ask(other)


def test_it_waits_for_the_delay(lever: Lever, people: Callable[[str], User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds._kinds, "lever", lever.kind(timedelta(hours=1)))
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    assert execute_approvals() == []
    assert services.approval_execute(approval_id=approval.id) is False
    Approval.objects.filter(id=approval.id).update(ready_at=timezone.now())
    assert execute_approvals() == [approval.id]


@pytest.mark.parametrize("approved", [False, True])
def test_it_stops_before_the_delay_has_passed(lever: Lever, people: Callable[[str], User], approved: bool) -> None:
    asking, deciding = people("asks"), people("decides")
    rejected, withdrawn = ask(asking), ask(asking)
    if approved:
        for approval in (rejected, withdrawn):
            services.approval_approve(approval_id=approval.id, by=deciding)
    services.approval_reject(approval_id=rejected.id, by=deciding, note="no")
    services.approval_withdraw(approval_id=withdrawn.id, by=asking)
    assert execute_approvals() == []
    assert lever.pulled == []
    assert lever.ended == ["rejected", "withdrawn"]
    with pytest.raises(services.ApprovalError):
        services.approval_approve(approval_id=rejected.id, by=deciding)


def test_it_wants_reasons(lever: Lever, people: Callable[[str], User]) -> None:
    asking = people("asks")
    with pytest.raises(services.ReasonRequired):
        services.approval_request(kind="lever", subject="x", payload={}, reason="  ", by=asking)
    approval = ask(asking)
    with pytest.raises(services.ReasonRequired):
        services.approval_reject(approval_id=approval.id, by=people("decides"), note="")


def test_it_keeps_a_failure_and_does_not_try_again(lever: Lever, people: Callable[[str], User]) -> None:
    lever.failure = DomainError("It is stuck.")
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    assert execute_approvals() == []
    lever.failure = None
    assert execute_approvals() == []
    approval.refresh_from_db()
    assert approval.status == "failed"
    assert [step.note for step in approval.steps.filter(action="failed")] == ["INVALID_REQUEST: It is stuck."]


def test_it_tries_again_when_nothing_was_sent(lever: Lever, people: Callable[[str], User]) -> None:
    lever.failure = EngineUnavailable()
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    assert execute_approvals() == []
    lever.failure = None
    assert execute_approvals() == [approval.id]
    assert lever.pulled == [7]


@pytest.mark.parametrize("was_done", [False, True])
def test_it_finds_out_what_became_of_an_unknown_outcome(lever: Lever, people: Callable[[str], User], was_done: bool) -> None:
    """Also of a process that ended on the way: both leave the request as being carried out."""
    lever.failure = OutcomeUnknown()
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    execute_approvals()
    lever.failure, lever.known_done = None, was_done
    assert execute_approvals() == []  # too soon to tell
    Approval.objects.filter(id=approval.id).update(executing_at=timezone.now() - services.RETRY_AFTER)
    assert execute_approvals() == [approval.id]
    assert lever.pulled == ([] if was_done else [7])
    approval.refresh_from_db()
    assert approval.status == "executed"


def test_it_waits_while_nobody_can_tell(lever: Lever, people: Callable[[str], User]) -> None:
    lever.failure, lever.unknown = OutcomeUnknown(), True
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    execute_approvals()
    lever.failure = None
    Approval.objects.filter(id=approval.id).update(executing_at=timezone.now() - services.RETRY_AFTER)
    assert execute_approvals() == []
    assert lever.pulled == []
    lever.unknown = False
    assert execute_approvals() == [approval.id]
    assert lever.pulled == [7]


def test_it_tries_again_what_came_too_late(lever: Lever, people: Callable[[str], User]) -> None:
    lever.failure = Refused(Reject("EXPIRED", {"stamp_ms": 1}))
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    assert execute_approvals() == []
    lever.failure = None
    assert execute_approvals() == []
    assert lever.ended == []
    Approval.objects.filter(id=approval.id).update(executing_at=timezone.now() - services.RETRY_AFTER)
    assert execute_approvals() == [approval.id]


@pytest.mark.parametrize("failure", [EngineUnavailable(), DomainError("It is stuck.")])
def test_it_lets_a_process_that_was_overtaken_decide_nothing(lever: Lever, people: Callable[[str], User], failure: DomainError) -> None:
    """Another process carries it out by now: to send it again, or to call it failed, would let it happen twice."""
    lever.failure, lever.overtaken = failure, True
    approval = services.approval_approve(approval_id=ask(people("asks")).id, by=people("decides"))
    assert execute_approvals() == []
    approval.refresh_from_db()
    assert approval.status == "executing"
    assert lever.ended == []


def test_it_waits_for_what_is_half_done_of_the_same_subject(lever: Lever, people: Callable[[str], User]) -> None:
    """Else the older one could still come after it, and undo it."""
    asking, deciding = people("asks"), people("decides")
    lever.failure = OutcomeUnknown()
    older = services.approval_approve(approval_id=ask(asking).id, by=deciding)
    execute_approvals()
    lever.failure = None
    newer = services.approval_approve(approval_id=ask(asking, size=8).id, by=deciding)
    assert execute_approvals() == []
    assert lever.pulled == []
    Approval.objects.filter(id=older.id).update(executing_at=timezone.now() - services.RETRY_AFTER)
    assert execute_approvals() == [older.id]
    assert execute_approvals() == [newer.id]
    assert lever.pulled == [7, 8]


def test_it_is_decided_in_the_admin(lever: Lever, people: Callable[[str], User]) -> None:
    approval = ask(people("asks"))
    browser = Client()
    browser.force_login(User.objects.create_superuser("sam"))
    page = reverse("admin:accounts_approval_changelist")
    chosen = {"_selected_action": [approval.id]}
    answer = browser.post(page, chosen | {"action": "reject", "note": ""}, follow=True)
    assert "Say why" in answer.content.decode()
    browser.post(page, chosen | {"action": "approve", "note": "fine"})
    approval.refresh_from_db()
    assert approval.status == "approved"
    shown = browser.get(reverse("admin:accounts_approval_change", args=[approval.id])).content.decode()
    assert "fine" in shown
    assert "Pull the lever" in shown
