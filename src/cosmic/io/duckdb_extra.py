"""What reads large trial logs uses of DuckDB, or one line that says how to get it."""

from cosmic.errors import CosmicError

try:
    import duckdb
except ImportError as error:
    raise CosmicError(
        "this needs DuckDB: pip install 'duckdb>=1.1', or install cosmic with its "
        "extra, cosmic[export]"
    ) from error

__all__ = ["duckdb"]
