"""HTTP: the API, the event stream and what guards them."""
