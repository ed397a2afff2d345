"""Side by side: segkit, hand-written Polars, DuckDB SQL and pandas do the same job of eight segments.

With `--job gates`, segkit and hand-written Polars do it with consent, caps, draws and limits.

Run `python -m benchmarks` from the repository's root (dependency group `bench`). It makes the customers and
orders once, checks that all tools choose the same customers, then measures whole processes in turn.
"""
