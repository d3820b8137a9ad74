"""What AWS charges, with where it was read and of when. Dollars of us-east-1, without the free tiers."""

from __future__ import annotations

from typing import NamedTuple


class Price(NamedTuple):
    """Dollars per `unit`."""

    dollars: float
    unit: str
    source: str


_DYNAMODB = "airbyte.com/data-engineering-resources/dynamodb-pricing, 2025-07-21, after the cut of November 2024"
_PROVISIONED = "aws.amazon.com/pt/dynamodb/pricing, undated: a write unit for a month, 2.6 million writes, at 0.47"
_LAMBDA = "git.mcrn.ar/mariano/lambda_local_runner, lambda-13-cost.md, 2026-05-11"
_GATEWAY = "docs.aws.amazon.com, whitepaper «API Gateway Private APIs», cost optimization"
_EVENTS = "a copy of the AWS Price List API, us-east-1, 2025-10-28"
_WATCH = "factualminds.com, «Amazon CloudWatch Pricing», 2026-06-13; signoz.io/guides/cloudwatch-pricing, 2026-02-15"
_RELATIVE = "github.com/flarebyte/learning, aws/serverless-cost.md, undated"
_SECRETS = "a cost analysis quoting AWS's documentation, 2026: 0.40 for a secret and month"

PRICES = {
    "write unit": Price(0.625e-6, "write request unit", _DYNAMODB),
    "read unit": Price(0.125e-6, "read request unit", _DYNAMODB),
    "table storage": Price(0.25, "GB and month", "aws.amazon.com/pt/dynamodb/pricing, undated"),
    "provisioned write": Price(0.47 / 2.6e6, "write, always in use", _PROVISIONED),
    "invocation": Price(0.20e-6, "request", _LAMBDA),
    "GB-second": Price(0.0000133334, "GB-second of arm64", _LAMBDA),
    "HTTP request": Price(1.00e-6, "request of an HTTP API", _GATEWAY),
    "REST request": Price(3.50e-6, "request of a REST API", _GATEWAY),
    "SQS request": Price(0.40e-6, "request", "github.com/maciej-klimek/sound-based-forest-monitoring, undated"),
    "event": Price(1.00e-6, "custom event of up to 64 KB", _EVENTS),
    "state": Price(25.0e-6, "transition of a standard workflow", _RELATIVE),
    "log": Price(0.50, "GB of logs taken in", _WATCH),
    "metric": Price(0.30, "custom metric and month", _WATCH),
    "dashboard": Price(3.00, "dashboard and month", _WATCH),
    "alarm": Price(0.10, "alarm and month", "cloudburn.io/blog/amazon-cloudwatch-pricing, 2026-02"),
    "secret": Price(0.40, "secret and month", _SECRETS),
    "secret read": Price(5.0e-6, "GetSecretValue", "the compiler's knowledge: 0.05 for 10,000"),
    "schedule": Price(1.00e-6, "invocation by a schedule", "the compiler's knowledge"),
    "S3 PUT": Price(5.0e-6, "PUT", _RELATIVE),
    "traffic": Price(
        0.09, "GB to the internet", "awsforengineers.com/blog/aws-api-gateway-pricing-explained, 2025-05-19"
    ),
}
SAO_PAULO = 1.5
"""Of us-east-1's prices, for all of them: the one price of sa-east-1 that was found is a state transition, at 37.50
instead of 25.00 a million (a cost analysis quoting the Price List API, `SAE1-StateTransition`, 2026). Lambda and
EventBridge are believed to cost the same there, so this is an upper estimate."""
REGIONS = {"us-east-1": 1.0, "sa-east-1 (estimate)": SAO_PAULO}
