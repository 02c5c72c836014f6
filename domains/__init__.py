"""One folder a domain; no domain knows another."""
