"""For migrations: turns a table that Django made into one that PostgreSQL partitions by ranges of a column.

Django's state keeps the plain model. The primary key takes the column in, as PostgreSQL wants it; rows outside every range go to
the default partition, so that an insert never fails for want of one. Partitions ahead of time are made by trading.partitions.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

STATEMENTS = (
    "alter table {table} rename to {table}_plain",
    "create table {table} (like {table}_plain including defaults including constraints including storage including compression) "
    "partition by range ({column})",
    "create table {table}_default partition of {table} default",
    "insert into {table} select * from {table}_plain",
    "drop table {table}_plain",
    "alter table {table} add primary key ({key})",
)


def partition(app_label: str, model_name: str, *, column: str) -> migrations.RunPython:
    """Return the operation that partitions a model's table by `column`."""

    def convert(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        model = apps.get_model(app_label, model_name)
        own_key = model._meta.pk.column
        key = own_key if own_key == column else f"{own_key}, {column}"
        for statement in STATEMENTS:
            schema_editor.execute(statement.format(table=model._meta.db_table, column=column, key=key))
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)

    return migrations.RunPython(convert)
