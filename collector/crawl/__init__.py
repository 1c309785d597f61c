"""One page after another: planning, leases, harvests."""
