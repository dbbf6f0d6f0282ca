"""The stores that these tests run on."""

from tests.support.stores import (
    empty_url,
    postgres_cluster,
    shared_postgres,
    sqlite_template,
    store,
    store_url,
)

__all__ = ["empty_url", "postgres_cluster", "shared_postgres", "sqlite_template", "store", "store_url"]
