"""The same work as AWS's own guides teach it, to be measured beside ours. No part of the product.

`encolar` takes the queue with Powertools' BatchProcessor and makes each record idempotent; `recibir` takes the hooks
with APIGatewayHttpResolver and makes each hook idempotent. Sources: Powertools for AWS Lambda (Python), "Batch
processing" and "Idempotency" (its section on the batch utility; expiry longer than the queue's retention; the Lambda
context registered, so that a record in progress expires when its invocation would have), "Event handler: REST API",
"Parameters"; the provider's pages for what is asked and answered.
"""
