"""Side by side: segkit, Polars by hand (as one writes it, and tuned), DuckDB and pandas do one job of eight segments.

Two more jobs are for segkit and Polars alone: `--job gates` has consent, caps, draws and limits, `--job stages` a
lifecycle, a score of ten rules and lookups.

Run `python -m benchmarks` from the repository's root (dependency group `bench`). It makes the customers and
orders once, checks that all tools choose the same customers, then measures whole processes in turn.
"""
