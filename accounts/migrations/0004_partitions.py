"""The ledger by days, and nothing but new rows in it."""

from django.db import migrations

from markets.partitioning import partition

APPEND_ONLY = """
create function ledger_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: a transfer is corrected by another one';
end $$;
create trigger ledger_append_only before update or delete on accounts_ledgertransfer
    for each row execute function ledger_append_only();
alter table accounts_balance set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_projection")]
    operations = [partition("accounts", "LedgerTransfer", column="posted_at"), migrations.RunSQL(APPEND_ONLY)]
