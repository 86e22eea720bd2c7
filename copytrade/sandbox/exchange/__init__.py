"""The exchange behind every wire protocol of the sandbox: one market, one matching engine, one set of accounts."""
