from django.contrib.postgres.indexes import BrinIndex
from django.db import models


class EngineEpoch(models.Model):
    """One row: the leader's epoch. Each journal statement locks it for share and finds its own number, or writes nothing."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.BigIntegerField(default=0)


class Journal(models.Model):
    """One group commit: what the engine was told, and what happened. The record that everything else is made from."""

    seq = models.BigIntegerField(primary_key=True)
    epoch = models.BigIntegerField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()
    stamp_ms = models.BigIntegerField()
    rules_version = models.IntegerField()
    commands = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "journal"


class Snapshot(models.Model):
    """A verified state of the engine after journal row `seq`, kept as a file of that name."""

    seq = models.BigIntegerField(primary_key=True)
    rules_version = models.IntegerField()
    state_hash = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    taken_at = models.DateTimeField()


class HeldSession(models.Model):
    """A socket session whose orders the engine's runner cancels when the gateway's link that holds it is lost."""

    pk = models.CompositePrimaryKey("account_id", "session_id")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False)
    session_id = models.BigIntegerField()


class Projection(models.Model):
    """One row: the journal row up to which the tables are current; written in the same transaction as they are."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    stamp_ms = models.BigIntegerField(default=0)  # of that row


class Order(models.Model):
    """An order as it stands; field for field `markets.views.OrderView`. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    client_order_id = models.CharField(max_length=36)
    side = models.CharField(max_length=4)
    type = models.CharField(max_length=20)
    time_in_force = models.CharField(max_length=3)
    post_only = models.CharField(max_length=6)
    reduce_only = models.BooleanField()
    close_position = models.BooleanField()
    self_trade_prevention = models.CharField(max_length=12)
    price_ticks = models.BigIntegerField()
    size_lots = models.BigIntegerField()
    filled_lots = models.BigIntegerField()
    filled_quote_atoms = models.BigIntegerField()
    fee_atoms = models.BigIntegerField()
    trigger_ticks = models.BigIntegerField()
    trigger_by = models.CharField(max_length=5)
    good_till_ms = models.BigIntegerField()
    parent_order_id = models.BigIntegerField()
    link_id = models.BigIntegerField()
    status = models.CharField(max_length=12)
    reason = models.CharField(max_length=20, null=True)  # noqa: DJ001 as OrderView has it: none unless it was cancelled
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        # No index on client ids: UsedClientOrderId finds an order by its own. The second one finds what retention drops.
        indexes = [models.Index(fields=["account", "id"]), BrinIndex(fields=["updated_at"], name="order_by_update", autosummarize=True)]


class UsedClientOrderId(models.Model):
    """Every client order id ever accepted, beyond the life of its order's row: ids are unique for ever."""

    pk = models.CompositePrimaryKey("account_id", "client_order_id")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    client_order_id = models.CharField(max_length=36)
    order_id = models.BigIntegerField()
    content_hash = models.BinaryField()  # of the command's content: the same again is a repeat, other is DUPLICATE_ID


class Fill(models.Model):
    """One side of a match. Written by the projector only."""

    id = models.BigIntegerField(primary_key=True)  # trade id x 2, plus one for the taker's
    trade_id = models.BigIntegerField()
    order_id = models.BigIntegerField()
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    side = models.CharField(max_length=4)
    liquidity = models.CharField(max_length=5)  # maker, taker
    price_ticks = models.BigIntegerField()
    size_lots = models.BigIntegerField()
    quote_atoms = models.BigIntegerField()
    fee_atoms = models.BigIntegerField()
    pnl_atoms = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    executed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "id"]), models.Index(fields=["order_id"])]


class Position(models.Model):
    """An account's open position in a market. Written by the projector only."""

    pk = models.CompositePrimaryKey("account_id", "market_id")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    market = models.ForeignKey("markets.Market", on_delete=models.PROTECT, db_constraint=False, db_index=False)
    size_lots = models.BigIntegerField()
    cost_atoms = models.BigIntegerField()
    realised_atoms = models.BigIntegerField()
    funding_atoms = models.BigIntegerField()
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
