"""A Primary that shares no code with the Director: Python, `cryptography`, and its own canonical JSON.

usage: primary.py URL ADMIN_TOKEN VEHICLE_TOKEN VIN FOLDER

FOLDER is the Director's metadata/ folder, with 1.root.json and time-keys.json, with which a vehicle is provisioned.
Prints what it received as one JSON object; raises an exception if a check fails.
"""

import hashlib
import json
import secrets
import sys
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

URL, ADMIN, VEHICLE, VIN, FOLDER = sys.argv[1:6]


def canonical(value):
    """OLPC canonical JSON."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"


def spki(key):
    encoding = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*encoding).decode()


PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)


class Ecu:
    def __init__(self, serial, name, hardware_id, keytype):
        self.serial, self.name, self.hardware_id, self.keytype = serial, name, hardware_id, keytype
        if keytype == "ed25519":
            self.key = ed25519.Ed25519PrivateKey.generate()
            raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
            scheme, public = "ed25519", self.key.public_key().public_bytes(*raw).hex()
        elif keytype == "ecdsa":
            self.key = ec.generate_private_key(ec.SECP256R1())
            scheme, public = "ecdsa-sha2-nistp256", spki(self.key)
        else:
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
            scheme, public = "rsassa-pss-sha256", spki(self.key)
        self.public = {"keytype": keytype, "scheme": scheme, "keyval": {"public": public}}
        self.key_id = hashlib.sha256(canonical(self.public).encode()).hexdigest()

    def sign(self, signed):
        message = canonical(signed).encode()
        if self.keytype == "ed25519":
            signature = self.key.sign(message)
        elif self.keytype == "ecdsa":
            signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        else:
            signature = self.key.sign(message, PSS, hashes.SHA256())
        return {"signatures": [{"keyid": self.key_id, "sig": signature.hex()}], "signed": signed}

    def report(self, installed=None):
        signed = {
            "_type": "ecu-report",
            "vin": VIN,
            "ecu": self.serial,
            "hardwareId": self.hardware_id,
            "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "nonce": secrets.token_hex(16),
            # Sorted by code point, not by UTF-16 unit, and not escaped.
            "\U0001F697": "Käfer \u2028 \"\\",
            "\ufb01": 1,
        }
        return self.sign({**signed, **({"installed": installed} if installed else {})})


def call(method, path, token, body=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization-token": token, "content-type": "application/json"}
    request = urllib.request.Request(f"{URL}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def verify(file, keys, threshold=1):
    """Verifies an Ed25519 envelope signed by one of these keys. Returns the signed part."""
    message = canonical(file["signed"]).encode()
    good = set()
    for signature in file["signatures"]:
        key = keys.get(signature["keyid"])
        if key:
            public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["keyval"]["public"]))
            public.verify(bytes.fromhex(signature["sig"]), message)
            good.add(signature["keyid"])
    assert len(good) >= threshold, "not signed by enough keys"
    return file["signed"]


ecus = [
    Ecu("P 1/ü", "OTA-MANAGER", "hw-primary", "ed25519"),
    Ecu("H-1", "HU", "hw-hu", "ecdsa"),
    Ecu("T-1", "TCU", "hw-tcu", "rsa"),
]
primary = ecus[0]
registered = [
    {
        "serial": ecu.serial,
        "name": ecu.name,
        "hardwareId": ecu.hardware_id,
        "publicKey": ecu.public,
        "isPrimary": ecu is primary,
    }
    for ecu in ecus
]
status, body = call("PUT", f"/v1.0/vehicles/{VIN}/ecus", ADMIN, {"ecus": registered})
assert status == 200, body
assert [ecu["keyId"] for ecu in json.loads(body)["ecus"]] == [
    ecu.key_id for ecu in [primary, *sorted(ecus[1:], key=lambda ecu: ecu.serial)]
]

director = f"/uptane/director/{VIN}"
time_keys = {
    hashlib.sha256(canonical(key).encode()).hexdigest(): key
    for key in json.loads(Path(FOLDER, "time-keys.json").read_text())
}
nonces = [secrets.token_hex(16) for _ in ecus]
status, body = call("POST", f"{director}/time", VEHICLE, {"nonces": nonces})
assert status == 200, body
signed_time = verify(json.loads(body), time_keys)
assert signed_time["_type"] == "time" and signed_time["nonces"] == nonces
now = datetime.now(timezone.utc)
attested = datetime.strptime(signed_time["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
assert abs((now - attested).total_seconds()) < 60


def manifest(installed={}):
    reports = {ecu.serial: ecu.report(installed.get(ecu.serial)) for ecu in ecus}
    signed = {"_type": "manifest", "vin": VIN, "primary": primary.serial, "ecuReports": reports}
    return json.dumps(primary.sign(signed), indent=1).encode()


first = manifest()
statuses = [call("POST", f"{director}/manifest", VEHICLE, first)[0] for _ in range(2)]

root = json.loads(Path(FOLDER, "1.root.json").read_text())
roles = root["signed"]["roles"]


def keys_of(role):
    return {id: root["signed"]["keys"][id] for id in roles[role]["keyids"]}


verify(root, keys_of("root"), roles["root"]["threshold"])
assert call("GET", f"{director}/2.root.json", VEHICLE)[0] == 404


def get(name, role):
    status, body = call("GET", f"{director}/{name}", VEHICLE)
    assert status == 200, body
    signed = verify(json.loads(body), keys_of(role), roles[role]["threshold"])
    assert signed["_type"] == role and signed["spec_version"].startswith("1.")
    assert signed["expires"] > now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return signed, body


timestamp, _ = get("timestamp.json", "timestamp")
listed = timestamp["meta"]["snapshot.json"]
snapshot, bytes_ = get(f"{listed['version']}.snapshot.json", "snapshot")
assert len(bytes_) == listed["length"]
assert hashlib.sha256(bytes_).hexdigest() == listed["hashes"]["sha256"]
version = snapshot["meta"]["targets.json"]["version"]
targets, _ = get(f"{version}.targets.json", "targets")
assert targets["version"] == version and targets["custom"] == {"vin": VIN}

installed = {}
for path, target in targets["targets"].items():
    for serial, ecu in target["custom"]["ecuIdentifiers"].items():
        assert ecu["hardwareId"] in target["custom"]["match"]["hardwareIds"]
        counter = target["custom"]["match"]["releaseCounter"]
        installed[serial] = {
            "path": path,
            "length": target["length"],
            "hashes": target["hashes"],
            "releaseCounter": counter,
        }
statuses.append(call("POST", f"{director}/manifest", VEHICLE, manifest(installed))[0])

print(json.dumps({"statuses": statuses, "listed": sorted(installed)}))
