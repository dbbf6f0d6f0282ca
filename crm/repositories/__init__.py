"""Queries, and nothing but queries: what may be done and who may do it stands in the services."""
