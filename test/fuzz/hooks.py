"""What schemathesis must not do, and which of its findings are expected, each with a reason."""

import base64
import hashlib
import hmac
import json
import os
import random
import re
import time
from urllib.parse import unquote

import jsonschema_rs
import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

# Fields whose rules a JSON Schema cannot express, so that a value that fits the schema may be refused:
# (method, path) -> {field named in the answer: reason}. "*" stands for every route.
BEYOND_SCHEMA = {
    "*": {
        "/cursor": "only what a page of the same list gave is a cursor",
    },
    ("PUT", "/v1.0/vehicles/{vin}"): {
        "/credential": "one that is guessable is refused",
    },
    ("POST", "/v1.0/callbacks"): {
        "/url": "addresses of our own networks are refused, and what is no URL",
    },
    ("PATCH", "/v1.0/callbacks/{id}"): {
        "/url": "addresses of our own networks are refused, and what is no URL",
    },
    ("POST", "/v1.0/artifacts"): {
        "/releaseCounter": "is needed where hardware ids are given",
        "/hardwareIds": "are needed where a release counter is given",
    },
    ("POST", "/v1.0/callbacks/{id}/replay"): {
        "": "either after or since, not both",
    },
    ("POST", "/v1.0/update-scripts/validate"): {
        "": "a body that is null is none",
    },
    ("POST", "/v1.0/notification-rules"): {
        "/url": "is needed by every channel but email, and refused of addresses of our own networks",
        "/to": "is of channel email, and needed by it",
        "/channel": "email needs a server that sends it",
        "/failurePercent": "is of event failure-rate, and needed by it",
        "/least": "is of event failure-rate, and needed by it",
    },
    ("POST", "/v1.0/tokens"): {
        "/vin": "a token of role vehicle has one, and no other",
        "/scopes": "a token of role vehicle has none",
    },
    ("GET", "/v1.0/ota/events"): {
        "/since": "either after or since, not both",
    },
}
# Members that no schema declares are kept, not refused, and only one rule applies to their names and texts
# (contract section 2). Declared ones have it in their pattern: test/contract/bounded-requests.test.ts.
UNDECLARED_TEXT = "must not contain the character NUL"
# Nor may one have the name of an object's prototype: JavaScript would take it for that.
UNDECLARED_NAME = "/__proto__"
# The same for any field: plans and scripts refer to things that must exist, and have rules between fields.
WHOLE_BODY = {
    ("POST", "/v1.0/schedules"),
    ("POST", "/v1.0/schedules/preview"),
    ("POST", "/v1.0/update-scripts"),
    # Lines of CSV and NDJSON have no schema; here, all of them must be valid.
    ("POST", "/v1.0/schedules/{ref-id}/vehicles"),
    # A key's scheme must match its type, and a vehicle has one Primary.
    ("PUT", "/v1.0/vehicles/{vin}/ecus"),
    ("POST", "/v1.0/vehicles/{vin}/ecus/{serial}/replacement"),
    # Uptane's JSON: no fractions, no duplicate members.
    ("POST", "/uptane/director/{vin}/time"),
}
# Errors without a field for a valid request: (method, path) -> {errorCode: reason}.
BEYOND_REQUEST = {
    ("POST", "/v1.0/artifacts"): {
        "ARTIFACT_REFUSED": "empty, or not what sha256 says",
        "TARGET_REFUSED": "not every text is the path of a target, and a release counter does not go back",
    },
    ("GET", "/v1.0/artifacts/{sha256}/content"): {
        "RANGE_NOT_SATISFIABLE": "only the content says how long it is",
    },
    ("POST", "/uptane/director/{vin}/manifest"): {"MANIFEST_REFUSED": "only its ECUs can sign"},
}
# Identifiers that exist and cannot be guessed, by method and path: see scripts/fuzz-seeds.mjs.
KNOWN = json.loads(os.environ["OTAOPS_FUZZ_KNOWN"])
CALL_BACK = ("POST", "/v1.0/ota/events")
CALL_BACK_KEY = base64.b64decode(os.environ["OTAOPS_FUZZ_CALLBACK_SECRET"].removeprefix("whsec_"))
dice = random.Random(int(os.environ["OTAOPS_FUZZ_SEED"]))


@schemathesis.hook
def before_call(context, case, kwargs):
    route = (case.operation.method.upper(), case.operation.path)
    if case.meta is None:
        return
    if route == CALL_BACK and not case.meta.is_negative_at(ParameterLocation.HEADER):
        kwargs["auth"] = CallBackSignature()
    known = KNOWN.get(" ".join(route))
    # The stateful phase has its own identifiers, and sometimes one must be unknown.
    if known is None or case.meta.phase.name == "stateful" or dice.random() < 0.2:
        return
    places = [
        (ParameterLocation.PATH, "path", case.path_parameters),
        (ParameterLocation.QUERY, "query", case.query),
    ]
    chosen = dice.choice(known)
    if any(name in chosen and case.meta.is_negative_at(place) for place, name, _ in places):
        return
    for _, name, values in places:
        if name in chosen:
            values.update(chosen[name])


class CallBackSignature(requests.auth.AuthBase):
    """Signs the final request (Standard Webhooks): without this, no code behind the signature check would be reached."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        seconds = str(int(time.time()))
        signed = f"fuzz.{seconds}.".encode() + body
        signature = base64.b64encode(hmac.new(CALL_BACK_KEY, signed, hashlib.sha256).digest()).decode()
        request.headers["webhook-id"] = "fuzz"
        request.headers["webhook-timestamp"] = seconds
        request.headers["webhook-signature"] = f"v1,{signature}"
        return request


@schemathesis.hook
def filter_failure(context, failure, case, response):
    route = (case.operation.method.upper(), case.operation.path)
    try:
        problem = json.loads(response.content)
    except ValueError:
        return True
    if route == CALL_BACK and type(failure).__name__ == "AcceptedNegativeData":
        # An event that does not fit the schema is set aside, and does not hold up the others (contract section 2). One whose
        # event-id was stored or set aside before is a duplicate, whatever its other content.
        return problem.get("refused", 0) + problem.get("duplicates", 0) == 0
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    if problem.get("errorCode") in BEYOND_REQUEST.get(route, {}):
        return False
    errors = problem.get("errors", [])
    if not errors:
        return True
    if all(error["message"] == UNDECLARED_TEXT or error["path"].endswith(UNDECLARED_NAME) for error in errors):
        return False
    paths = {error["path"] for error in errors}
    if any(fits_not(case, path) for path in paths):
        return False
    if route in WHOLE_BODY:
        return False
    return not paths <= {*BEYOND_SCHEMA["*"], *BEYOND_SCHEMA.get(route, {})}


def fits_not(case, path):
    """Whether the field that the answer names does not fit the schema after all: in its stateful phase, schemathesis counts
    values that it made invalid as valid."""
    name = path.removeprefix("/")
    raw = case.operation.definition.raw
    for place, values in (("path", case.path_parameters), ("query", case.query)):
        value = (values or {}).get(name)
        for parameter in raw.get("parameters", []):
            if parameter.get("in") != place or parameter.get("name") != name or not isinstance(value, str):
                continue
            pattern = parameter["schema"].get("pattern")
            text = unquote(value) if place == "path" else value
            if pattern is not None and re.search(pattern, text) is None:
                return True
    return not body_fits(case)


def body_fits(case):
    document = case.operation.schema.raw_schema
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None or not isinstance(case.body, (dict, list)):
        return True
    whole = {**schema, "components": document.get("components", {})}
    return jsonschema_rs.Draft202012Validator(whole).is_valid(case.body)


@schemathesis.hook
def filter_case(context, case):
    # Revoking the token that it uses would end the run. An empty id fits no schema: it comes from an entry of
    # the audit log that has no token.
    return (case.path_parameters or {}).get("id") not in ("", os.environ["OTAOPS_FUZZ_TOKEN_ID"])


@schemathesis.hook
def map_query(context, query):
    # A long poll is meant to wait.
    if isinstance(query, dict) and isinstance(query.get("wait"), int) and query["wait"] > 1:
        query["wait"] = 1
    return query
