"""Databases as sources: what is asked of them, and their rows as a Parquet file of the workspace."""
