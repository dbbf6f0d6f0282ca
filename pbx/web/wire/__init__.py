"""Models of what goes over the wire: strict going in, derived from the store's own records coming out."""
