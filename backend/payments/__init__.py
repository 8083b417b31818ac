"""支付 (payments): what the ledger says is due, paid to the person's account, each exactly once."""
