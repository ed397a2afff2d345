"""Side by side: segkit, hand-written Polars, DuckDB SQL and pandas do the same job of eight segments (`--job gates`: with
consent, caps, draws and limits, segkit and Polars).

Run `python -m benchmarks` from the repository's root (dependency group `bench`). It makes the customers and
orders once, checks that all tools choose the same customers, then measures whole processes in turn.
"""
