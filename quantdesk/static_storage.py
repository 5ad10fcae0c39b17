from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Files named by their content, so that browsers keep them for ever; imports between ES modules name them, too."""

    support_js_module_import_aggregation = True
