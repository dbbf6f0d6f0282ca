"""Prints the OpenAPI document, for the console's types: ``python -m pbx.web > build/openapi.json``."""

from __future__ import annotations

import sys

from pbx.web import openapi, replies
from pbx.web.routes import TABLES

sys.stdout.buffer.write(replies.encode(openapi.document(route for table in TABLES for route in table)))
