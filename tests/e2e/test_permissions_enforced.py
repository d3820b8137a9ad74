"""The emulator of these tests enforces the roles: what a role does not grant is denied, and the suite notices."""

from __future__ import annotations

import httpx
import yaml
from tests.sandbox.cuentas import WEBHOOK_HEADER
from tests.sandbox.packaging import read_template
from tests.template import TEMPLATE


def post_hook(stack):
    cuenta = stack.cuentas[0]
    hook = {"hook_id": 1, "evento": "test", "creado": "2026-11-22 10:00:00", "external_reference": "", "msg": {}}
    return httpx.post(
        stack.webhook_url(cuenta.alias), json=hook, headers={WEBHOOK_HEADER: cuenta.webhook_token}, timeout=30
    ).status_code


def test_a_function_whose_role_lacks_one_of_its_actions_does_not_work(start_stack, tmp_path):
    template = read_template(TEMPLATE)
    policy = template["Resources"]["ReceiveWebhookRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"] = [s for s in policy["Statement"] if s["Action"] != "dynamodb:PutItem"]
    for folder in ("functions", "shared"):
        (tmp_path / folder).symlink_to(TEMPLATE.parent / folder)
    lacking = tmp_path / "template.yaml"
    lacking.write_text(yaml.safe_dump(template), encoding="utf-8")
    stack = start_stack(template=lacking)
    assert post_hook(stack) >= 500
    stack.template = TEMPLATE
    stack.redeploy()
    assert post_hook(stack) == 200
