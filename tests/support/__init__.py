"""What the suites share: a private PostgreSQL, both real programs, a plain HTTP client."""
