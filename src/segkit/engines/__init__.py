"""Runs in buckets of customers: one after another in this process, for files that are larger than its memory."""
