"""The stores that these tests run on."""

from tests.support.stores import (
    empty_url,
    postgres_cluster,
    postgres_template,
    sqlite_template,
    store,
    store_url,
)

__all__ = ["empty_url", "postgres_cluster", "postgres_template", "sqlite_template", "store", "store_url"]
