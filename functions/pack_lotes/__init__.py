"""SQS → lotes: validate, claim, POST, record per comprobante."""
