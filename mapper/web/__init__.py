"""The mapper over HTTP: status page, API, metrics."""
