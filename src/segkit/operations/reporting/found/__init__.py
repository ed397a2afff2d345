"""What `basket`, `lookalike` and `cluster` have printed as JSON, read again for a report."""
