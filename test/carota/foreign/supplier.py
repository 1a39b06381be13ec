"""A supplier with python-tuf: signs its releases with its own key, and delivers them over HTTP.

Usage: supplier.py key FILE                                            makes a key; prints it as metadata lists it
       supplier.py sign FILE METADATA                                  signs a file of the role, in place
       supplier.py deliver URL TOKEN ROLE FILE HARDWARE PATH CONTENT   prints the states of the deliveries
"""
import hashlib
import json
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile


def signer_of(file):
    key = serialization.load_pem_private_key(Path(file).read_bytes(), None)
    return CryptoSigner(key)


def make_key(file):
    signer = CryptoSigner.generate_ecdsa()
    Path(file).write_bytes(signer.private_bytes)
    print(json.dumps(signer.public_key.to_dict()))


def sign(file, path):
    metadata = Metadata.from_file(path)
    metadata.sign(signer_of(file), append=True)
    metadata.to_file(path)


def request(method, url, token, body=None, content_type="application/json"):
    headers = {"authorization-token": token, "content-type": content_type}
    asked = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())


def published(url, token, role):
    """The role's newest metadata, found as clients find it."""
    def fetch(name):
        return Metadata.from_bytes(request("GET", f"{url}/uptane/image/metadata/{name}", token))
    snapshot = fetch("timestamp.json").signed.snapshot_meta.version
    version = fetch(f"{snapshot}.snapshot.json").signed.meta[f"{role}.json"].version
    return fetch(f"{version}.{role}.json")


def deliver(url, token, role, file, hardware, path, content):
    metadata = published(url, token, role)
    target = TargetFile.from_data(path, content.encode(), ["sha256", "sha512"])
    before = metadata.signed.targets.get(path)
    counter = before.custom["match"]["releaseCounter"] + 1 if before else 1
    target.unrecognized_fields["custom"] = {"match": {"hardwareIds": [hardware], "releaseCounter": counter}}
    metadata.signed.targets[path] = target
    metadata.signed.version += 1
    metadata.signed.expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
    metadata.sign(signer_of(file))
    body = json.dumps({"roles": {role: metadata.to_dict()}}).encode()
    def post():
        answer = json.loads(request("POST", f"{url}/v1.0/image-repository/deliveries", token, body))
        print(answer["state"], flush=True)
        return answer["missing"]
    for missing in post():
        assert missing["sha256"] == hashlib.sha256(content.encode()).hexdigest()
        image = f"{url}/v1.0/image-repository/images/{missing['sha256']}"
        request("PUT", image, token, content.encode(), "application/octet-stream")
        post()


command, *arguments = sys.argv[1:]
{"key": make_key, "sign": sign, "deliver": deliver}[command](*arguments)
