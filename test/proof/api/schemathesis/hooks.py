"""What schemathesis has to know of this API beyond its OpenAPI document; loaded by SCHEMATHESIS_HOOKS."""

import os
import re
import zlib

import requests
import schemathesis
from schemathesis.core.failures import Failure

AUTHORIZATION = {"Authorization": f"Bearer {os.environ['SLUICE_TOKEN']}"}
NOWHERE = "http://127.0.0.1:1/worker"

# Lines of JSON are made up as text, since OpenAPI 3.1 has no schema for single lines.
schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Two bodies are taken however wrong they are, since the answer says what is wrong with them."""
    # A document that is asked about: what has a list of nodes is one.
    operation = raw_schema["paths"]["/api/topologies/{topology}/check"]["post"]
    asked = {"type": "object", "required": ["nodes"], "properties": {"nodes": {"type": "array"}}}
    operation["requestBody"]["content"]["application/json"] = {"schema": asked}
    # Lines: whatever is no string for the tool is sent as its text, which is lines again.
    operation = raw_schema["paths"]["/api/trash/import"]["post"]
    operation["requestBody"]["content"]["application/x-ndjson"] = {"schema": {}}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the ids are made those of things that are there, and no worker is anywhere but on this machine."""
    keep_on_this_machine(case.body)
    if case.meta is None or not case.meta.generation.mode.is_positive or case.method == "DELETE":
        return
    for name, value in dict(case.path_parameters or {}).items():
        if name in ("id", "name", "topology") and zlib.crc32(str(value).encode("utf-8", "replace")) % 2:
            known = known_ids(case, name)
            if known:
                case.path_parameters[name] = known[len(str(value)) % len(known)]


def known_ids(case, parameter):
    """Ids of the list that a path such as /api/runs/{id}/cancel belongs to; none when there is no such list."""
    collection = case.operation.path.split("/{")[0]
    answer = requests.get(f"{case.operation.base_url.rstrip('/')}{collection}?limit=20", headers=AUTHORIZATION, timeout=20)
    if collection == "/api/nodes":
        answer = requests.get(f"{case.operation.base_url.rstrip('/')}/api/topologies/orders/nodes", headers=AUTHORIZATION, timeout=20)
    if answer.status_code != 200 or "json" not in answer.headers["content-type"]:
        return []
    key = "id" if parameter == "topology" else parameter
    return [item[key] for item in answer.json().get("items", []) if key in item]


def keep_on_this_machine(value):
    if isinstance(value, dict):
        if isinstance(value.get("urls"), list):
            value["urls"] = [NOWHERE if isinstance(url, str) and re.match(r"https?://", url, re.I) else url for url in value["urls"]]
        for inner in value.values():
            keep_on_this_machine(inner)
    elif isinstance(value, list):
        for inner in value:
            keep_on_this_machine(inner)


@schemathesis.check
def refusals_say_why(ctx, response, case):
    """Whatever is no success is a problem with a reason, and names the faults of an input one by one."""
    if response.status_code < 400 or (case.operation.path == "/readyz" and response.status_code == 503):
        return
    where = f"{case.method} {case.operation.path}: {response.status_code}"
    if response.headers.get("content-type") != ["application/problem+json"]:
        raise Failure(operation=case.operation.label, title="Refusal is no problem", message=where)
    if case.method == "HEAD":
        return
    problem = response.json()
    if problem["status"] != response.status_code or not problem["detail"]:
        raise Failure(operation=case.operation.label, title="Refusal without a reason", message=f"{where} {problem}")
    if response.status_code == 400 and not all(fault["message"] for fault in problem.get("errors") or [{"message": ""}]):
        raise Failure(operation=case.operation.label, title="Refusal without faults", message=f"{where} {problem}")
