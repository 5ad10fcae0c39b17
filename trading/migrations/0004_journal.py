from django.db import migrations, models

FORWARD = """
insert into trading_engineepoch (id, epoch) values (1, 0) on conflict do nothing;
alter table trading_journal alter column payload set storage external;
"""


class Migration(migrations.Migration):
    """The epoch's row; rows of the journal as they are (they come compressed); the sessions that links hold."""

    dependencies = [
        ("trading", "0003_projection"),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldSession",
            fields=[
                ("pk", models.CompositePrimaryKey("account_id", "session_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("session_id", models.BigIntegerField()),
                ("account", models.ForeignKey(db_constraint=False, on_delete=models.deletion.PROTECT, to="accounts.account")),
            ],
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
