"""HTTP to sources and providers: client, retries, rate limiter, back-off."""
