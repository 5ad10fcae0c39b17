"""For migrations: turns a table that Django made into one that is kept in ranges of a column.

Django's state keeps the plain model. Where the server offers TimescaleDB, a history becomes a hypertable, which makes and
drops its own chunks; elsewhere PostgreSQL partitions it: the primary key takes the column in, as PostgreSQL wants it, rows
outside every range go to the default partition, so that an insert never fails for want of one, and trading.partitions makes
partitions ahead of time.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from markets import timescale

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
        make_partitioned(apps.get_model(app_label, model_name), schema_editor, column=column)

    return migrations.RunPython(convert)


def history(app_label: str, model_name: str, *, column: str, chunk_days: int) -> migrations.RunPython:
    """Return the operation that makes a hypertable of a model's table where the server can, and partitions it elsewhere.

    The model's primary key must hold the column. Of partitions the length is trading.partitions' business.
    """

    def convert(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        model = apps.get_model(app_label, model_name)
        if timescale.is_offered(schema_editor.connection):
            timescale.make_hypertable(schema_editor, model._meta.db_table, column=column, chunk_days=chunk_days)
        else:
            make_partitioned(model, schema_editor, column=column)

    return migrations.RunPython(convert)


def make_partitioned(model: Any, schema_editor: BaseDatabaseSchemaEditor, *, column: str) -> None:
    own_key = [field.column for field in model._meta.pk_fields]
    key = ", ".join(own_key if column in own_key else [*own_key, column])
    for statement in STATEMENTS:
        schema_editor.execute(statement.format(table=model._meta.db_table, column=column, key=key))
    for index in model._meta.indexes:
        schema_editor.add_index(model, index)
