"""What the functions share: the ledger, the states and their fold, the events, the cuentas."""
