"""Verifies a dossier without any code of OTA Operations: that no byte of it has changed, no line is missing, added or
moved, and who has sealed it. Needs cryptography (pip install cryptography, or Debian's python3-cryptography).

    python3 verify_dossier.py <dossier.jsonl> [<public key> [<file for the time stamp>]]

<public key> is that of the server's seal key (audit-key.pub in its data directory); without it, the dossier is only what
somebody has sealed. Exits with 1 and the reason if it is not intact. The format is in docs/record.md.
"""
import base64, hashlib, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "otaops-dossier-1"


class BadDossier(Exception):
    pass


def require(holds, fault):
    if not holds:
        raise BadDossier(fault)


def canonical(value):
    """OLPC canonical JSON: what hashes and signatures cover. Numbers are integers."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        require(abs(value) < 2**53, "a number is too large")
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    require(isinstance(value, dict), "a number is no integer")
    return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"


def parse(text, place):
    """JSON that is written in the one way in which a dossier is."""
    try:
        value = json.loads(text)
        written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise BadDossier(f"{place} is no JSON: {error}")
    require(isinstance(value, dict) and written == text, f"{place} is not written as a dossier is")
    return value


def verify(data, trusted=None):
    """Takes the bytes of a dossier, and the public key that is trusted. Returns its records, or raises BadDossier."""
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise BadDossier("it is not UTF-8")
    require(lines.pop() == "", "the last line has no end")
    require(len(lines) > 2, "it has no records")
    records, head, counts, ended = [], "0" * 64, {}, False
    for number, line in enumerate(lines[:-1], 1):
        place = f"line {number}"
        record = parse(line, place)
        before, said = head, record.pop("hash", None)
        head = hashlib.sha256(f"{before}\n{canonical(record)}".encode()).hexdigest()
        require(head == said, f"{place} does not have the hash of its content and the line before")
        kind = record.get("type")
        if number == 1:
            require(kind == "campaign" and record.get("format") == FORMAT, "it does not begin as a dossier")
        require(not ended or (kind == "timestamp" and "timestamp" not in counts), f"{place} comes after the end")
        if kind == "end":
            require(record.get("counts") == counts, f"{place} counts other records than there are")
            ended = True
        if kind == "timestamp":
            require(ended and record.get("imprint") == before, f"{place} is a time stamp of something else")
        counts[kind] = counts.get(kind, 0) + 1
        records.append(record)
    require(ended, "the end is missing")
    last = parse(lines[-1], "the last line")
    require(set(last) == {"key", "seal", "type"} and last["type"] == "seal", "the last line is not the seal")
    verify_seal(last["key"], last["seal"], head, len(records), trusted)
    return records


def verify_seal(key, seal, head, count, trusted):
    require(isinstance(seal, dict) and isinstance(key, dict), "the seal is none")
    signature = seal.pop("signature", None)
    require(set(seal) == {"from", "to", "count", "hash", "time", "keyid"}, "the seal has other members")
    expected = {"from": 1, "to": count, "count": count, "hash": head}
    require(all(seal[name] == value for name, value in expected.items()), "the seal is of other records")
    require(hashlib.sha256(canonical(key).encode()).hexdigest() == seal["keyid"], "the seal is of another key")
    require(trusted is None or public_key(key) == trusted, "the seal is not by the key that is trusted")
    require(isinstance(signature, str) and signature == signature.lower(), "the signature is not written as one is")
    try:
        message = canonical(seal).encode()
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key(key))).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        raise BadDossier("the signature of the seal does not verify")


def public_key(key):
    require(key.get("keytype") == "ed25519" and isinstance(key.get("keyval"), dict), "the key is no Ed25519 key")
    return str(key["keyval"].get("public"))


def main(dossier, key_file=None, token_file=None):
    with open(dossier, "rb") as file:
        content = file.read()
    trusted = json.load(open(key_file))["keyval"]["public"] if key_file else None
    try:
        records = verify(content, trusted)
    except BadDossier as fault:
        sys.exit(f"not intact: {fault}")
    print(f"intact: {records[0]['ref-id']}, {len(records)} records")
    stamp = next((record for record in records if record["type"] == "timestamp"), None)
    if token_file and stamp:
        with open(token_file, "wb") as file:
            file.write(base64.b64decode(stamp["token"]))
        print(f"openssl ts -verify -digest {stamp['imprint']} -in {token_file} -CAfile <certificates>")


if __name__ == "__main__":
    main(*sys.argv[1:])
