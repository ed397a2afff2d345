"""Results as JSON: one object each, with `schema_version` first; fields are added, never renamed."""
