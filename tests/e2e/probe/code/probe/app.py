"""Does what each message tells it to, and leaves an item in the table for every invocation."""

from __future__ import annotations

import json
import os
import time
from uuid import uuid4

import boto3
from probe_shared import LAYER


def take_batch(event, _context):
    started = time.time()
    orders = [json.loads(record["body"]) for record in event["Records"]]
    pk = str(uuid4())
    item = {
        "pk": {"S": pk},
        "kind": {"S": "batch"},
        "started": {"N": str(started)},
        "size": {"N": str(len(orders))},
        "source": {"S": event["Records"][0]["eventSourceARN"]},
        "ids": {"SS": [record["messageId"] for record in event["Records"]]},
        "first": {"S": json.dumps(event["Records"][0] | {"body": ""})},
        "account": {"S": boto3.client("sts").get_caller_identity()["Account"]},
        "note": {"S": os.environ["NOTE"]},
        "bytes": {"N": str(len(json.dumps(event, ensure_ascii=False).encode()))},
    }
    table = boto3.client("dynamodb")
    table.put_item(TableName=os.environ["TABLE"], Item=item)
    for record, order in zip(event["Records"], orders, strict=True):
        if "visibility" in order:
            boto3.client("sqs").change_message_visibility(
                QueueUrl=os.environ["QUEUE_URL"],
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=order["visibility"],
            )
    time.sleep(max(order.get("sleep", 0) for order in orders))
    if any(order.get("die") for order in orders):
        os._exit(1)
    if any(order.get("raise") for order in orders):
        raise RuntimeError("as told")
    item["ended"] = {"N": str(time.time())}
    table.put_item(TableName=os.environ["TABLE"], Item=item)
    for order in orders:
        if "answer" in order:
            return order["answer"]
    failed = [
        record["messageId"]
        for record, order in zip(event["Records"], orders, strict=True)
        if int(record["attributes"]["ApproximateReceiveCount"]) <= order.get("fail_times", 0)
    ]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def follow_stream(event, _context):
    table = boto3.client("dynamodb")
    for record in event["Records"]:
        of = record["dynamodb"]["NewImage"]["pk"]["S"]
        item = {"pk": {"S": f"followed-{of}"}, "kind": {"S": "followed"}}
        table.put_item(TableName=os.environ["TABLE"], Item=item)


def answer(event, _context):
    body = {"note": os.environ["NOTE"], "layer": LAYER, "path": event.get("rawPath")}
    return {"statusCode": 200, "body": json.dumps(body)} if "rawPath" in event else body
