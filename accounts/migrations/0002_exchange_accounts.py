"""The exchange's own ledger accounts, and user accounts numbered from FIRST_USER_ACCOUNT."""

from django.db import migrations

from markets.ledger import FIRST_USER_ACCOUNT, NAMES


def create(apps, schema_editor):
    Account = apps.get_model("accounts", "Account")
    for account_id, name in NAMES.items():
        Account.objects.get_or_create(id=account_id, defaults={"name": name})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunPython(create, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(
            f"SELECT setval(pg_get_serial_sequence('accounts_account', 'id'), {FIRST_USER_ACCOUNT}, false)",
            migrations.RunSQL.noop,
        ),
    ]
