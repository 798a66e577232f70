"""From ledger rows and records to exactly what is sent. Pure: no clock, no store, no network."""
