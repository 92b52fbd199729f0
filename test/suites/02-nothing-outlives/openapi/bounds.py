"""What generated requests must not do to a stack that other tests share: revoke for real, or hold a request for half a minute."""

import re

import schemathesis

WAIT = re.compile(r"[0-9]{1,5}(ms|s)?")


@schemathesis.hook
def before_call(context, case, kwargs):
    body, query = case.body, case.query or {}
    # Left out, `dryRun` is false; any other value is sent as it is, to be refused.
    if case.operation.path == "/v1/revocations" and isinstance(body, dict) and body.get("dryRun", False) is False:
        body["dryRun"] = True
    if isinstance(query.get("wait"), str) and WAIT.fullmatch(query["wait"]):
        query["wait"] = "10ms"
