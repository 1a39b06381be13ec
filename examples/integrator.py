"""An integrator's client in Python that uses only the standard library: it registers vehicles, triggers an operation
and follows its events until every vehicle has finished.

    OTAOPS_TOKEN=... python3 integrator.py http://127.0.0.1:8080 "schedule 0909" 5YJSA1E40FF345678=c2c-sys-1 ...
"""
import json, os, sys, time, urllib.error, urllib.parse, urllib.request

adapter, ref_id, *vehicles = sys.argv[1:]
fleet = dict(vehicle.split("=", 1) for vehicle in vehicles)


def call(method, path, body=None):
    """Returns the parsed JSON answer. An error is a problem document (RFC 9457) that names the cause."""
    request = urllib.request.Request(adapter + path, method=method, data=body and json.dumps(body).encode(), headers={
        "authorization-token": os.environ["OTAOPS_TOKEN"], "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{method} {path}: {refused.code} {refused.read().decode()}")


for vin, system_id in fleet.items():
    vehicle = call("PUT", f"/v1.0/vehicles/{vin}", {"system_id": system_id, "device_id": "tcu-1", "ecu_type": "TCU"})
    print("credential", vin, vehicle.get("credential", "unchanged"), flush=True)

# The call is idempotent, so a caller may repeat it until it is answered.
accepted = call("POST", "/v1.0/ota/trigger", {"time": int(time.time() * 1000), "version": "v1", "body": {
    "model": "vehicle model a", "ref-id": ref_id, "script-ref-id": "hu only 001", "vins": list(fleet)}})
print("accepted", accepted["accepted"], "rejected", accepted["rejectedCount"], flush=True)

# Every event once, in commit order. A real client stores the cursor where it survives a restart.
cursor, finished = "0", set()
while len(finished) < accepted["accepted"]:
    query = urllib.parse.urlencode({"after": cursor, "wait": 30, "ref-id": ref_id})
    page = call("GET", f"/v1.0/ota/events?{query}")
    for event in page["events"]:
        print(event["vin"], event["status-name"], flush=True)
        if event["status-name"] in ("success", "failure", "cancel", "rollback_success", "rollback_fail"):
            finished.add(event["vin"])
    cursor = page["cursor"]
