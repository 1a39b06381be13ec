"""Makes Uptane repositories with python-tuf and securesystemslib: not the software that verifies them.

usage: make_repositories.py FOLDER

FOLDER/SCENARIO/
    vehicle.json, director-root.json, image-root.json   what the vehicle is provisioned with
    CYCLE/director/..., CYCLE/image/...                 what is served in cycle 1, 2, ...
    expected.json                                       outcome of each cycle: "updated", "no-update" or a code
"""

import copy
import json
import sys
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from urllib.parse import quote

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

VIN = "5YJSA1E40FF345678"
ECUS = {"ecu-1": "hw-a", "ecu-2": "hw-b"}
LATER = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
EARLIER = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
ED25519 = CryptoSigner.generate_ed25519
ECDSA = CryptoSigner.generate_ecdsa
# 2048 bits: the usual 3072 take several times as long to generate.
RSA = partial(CryptoSigner.generate_rsa, size=2048)


class Repository:
    """Top-level roles of one repository, and delegated ones."""

    def __init__(self, make_key=ED25519):
        self.signers = {role: [make_key()] for role in ("root", "timestamp", "snapshot", "targets")}
        self.root = Root(expires=LATER, consistent_snapshot=True)
        for role, signers in self.signers.items():
            for signer in signers:
                self.root.add_key(signer.public_key, role)
        self.timestamp = Timestamp(expires=LATER)
        self.snapshot = Snapshot(expires=LATER)
        self.roles = {"targets": Targets(expires=LATER)}
        self.images = {}
        self.root_files = {}
        # For features without python-tuf classes: changes a file's JSON before signing.
        self.rewrite = lambda role, signed: None

    def require(self, role, signers, threshold):
        for signer in self.signers[role]:
            self.root.revoke_key(signer.public_key.keyid, role)
        for signer in signers:
            self.root.add_key(signer.public_key, role)
        self.root.roles[role].threshold = threshold
        self.signers[role] = list(signers)

    def add_image(self, path, content, custom, role="targets", hashes=("sha256", "sha512")):
        target = TargetFile.from_data(path, content, list(hashes))
        target.unrecognized_fields["custom"] = copy.deepcopy(custom)
        self.roles[role].targets[path] = target
        for digest in target.hashes.values():
            folder, _, name = path.rpartition("/")
            parts = [quote(part, safe="") for part in folder.split("/")] if folder else []
            self.images["/".join([*parts, f"{digest}.{quote(name, safe='')}"])] = content

    def delegate(self, source, name, paths, terminating=False, make_key=ED25519, signers=None):
        signers = signers or [make_key()]
        self.signers[name] = signers
        self.roles.setdefault(name, Targets(expires=LATER))
        delegator = self.roles[source]
        if delegator.delegations is None:
            delegator.delegations = Delegations({}, {})
        role = DelegatedRole(name, [], 1, terminating, paths)
        delegator.delegations.roles[name] = role
        for signer in signers:
            delegator.add_key(signer.public_key, name)

    def signed_bytes(self, role, payload):
        signed = payload.to_dict()
        self.rewrite(role, signed)
        message = encode_canonical(signed).encode("utf-8")
        signatures = [signer.sign(message).to_dict() for signer in self.signers[role]]
        return json.dumps({"signatures": signatures, "signed": signed}, ensure_ascii=False, indent=1).encode()

    def write(self, folder, metadata, images):
        files = {}
        files[f"{self.root.version}.root.json"] = self.signed_bytes("root", self.root)
        self.root_files.update(files)
        for name, role in self.roles.items():
            files[f"{role.version}.{quote(name, safe='')}.json"] = self.signed_bytes(name, role)
            self.snapshot.meta[f"{name}.json"] = MetaFile(role.version)
        snapshot = self.signed_bytes("snapshot", self.snapshot)
        files[f"{self.snapshot.version}.snapshot.json"] = snapshot
        meta = MetaFile.from_data(self.snapshot.version, snapshot, ["sha256", "sha512"])
        self.timestamp.snapshot_meta = meta
        files["timestamp.json"] = self.signed_bytes("timestamp", self.timestamp)
        for name, content in {**self.root_files, **files}.items():
            put(folder / metadata / name, content)
        for name, content in self.images.items():
            put(folder / images / name, content)

    def bump(self, *roles):
        for role in roles or ("targets", "snapshot", "timestamp"):
            payload = self.roles.get(role) or getattr(self, role)
            payload.version += 1


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def match(counter=1, hardware=("hw-a",)):
    return {"match": {"hardwareIds": list(hardware), "releaseCounter": counter}}


class Scenario:
    def __init__(self, folder, name, make_key=ED25519):
        self.folder = folder / name
        self.director = Repository(make_key)
        self.director.roles["targets"].unrecognized_fields["custom"] = {"vin": VIN}
        self.image = Repository(make_key)
        self.expected = []

    def order(self, path, content, ecu="ecu-1", counter=1, role="targets"):
        hardware = ECUS[ecu]
        custom = match(counter, [hardware])
        self.image.add_image(path, content, custom, role)
        custom["ecuIdentifiers"] = {ecu: {"hardwareId": hardware}}
        others = self.director.roles["targets"].targets
        for other in [p for p, t in others.items() if ecu in t.unrecognized_fields["custom"]["ecuIdentifiers"]]:
            del others[other]
        self.director.add_image(path, content, custom)

    def cycle(self, expected):
        self.expected.append(expected)
        here = self.folder / str(len(self.expected))
        self.director.write(here, f"director/{VIN}", "unused")
        self.image.write(here, "image/metadata", "image/targets")
        if len(self.expected) == 1:
            for name, repository in (("director", self.director), ("image", self.image)):
                put(self.folder / f"{name}-root.json", repository.root_files["1.root.json"])
            ecus = [{"ecu_id": ecu, "hardware_id": hardware} for ecu, hardware in ECUS.items()]
            vehicle = {"vin": VIN, "primary": "ecu-1", "ecus": ecus}
            put(self.folder / "vehicle.json", json.dumps(vehicle).encode())
        put(self.folder / "expected.json", json.dumps(self.expected).encode())

    def bump(self):
        self.director.bump()
        self.image.bump()


def key_types(folder):
    for name, make_key in (("ed25519", ED25519), ("ecdsa", ECDSA), ("rsa", RSA)):
        scenario = Scenario(folder, f"keys-{name}", make_key)
        scenario.order("brakes/firmware.bin", b"firmware")
        scenario.cycle("updated")
        scenario.cycle("no-update")
        scenario.bump()
        scenario.order("brakes/firmware.bin", b"firmware 2", counter=2)
        scenario.cycle("updated")


def unusual_text(folder):
    """Canonical JSON is sorted by code point, and only quotes and backslashes are escaped."""
    scenario = Scenario(folder, "unusual-text")
    names = {"\ufb33": 1, "\U0001f600": 2, 'quo"te': "back\\slash", "\n": "\t\u2028", "": None, "É": [True, {}]}
    for repository in (scenario.director, scenario.image):
        repository.rewrite = lambda role, signed: signed.update({"x-note": dict(names)})
    scenario.order("ä ö/fir%mware?#\U0001f697.bin", b"firmware")
    scenario.cycle("updated")


def thresholds(folder):
    scenario = Scenario(folder, "threshold-reached")
    keys = [ED25519(), ECDSA(), RSA()]
    scenario.image.require("targets", keys, 2)
    scenario.image.signers["targets"] = [keys[2], keys[0]]
    scenario.order("a", b"a")
    scenario.cycle("updated")
    scenario.image.signers["targets"] = [keys[1], keys[1]]
    scenario.bump()
    scenario.order("a", b"b")
    scenario.cycle("signature")


def delegations(folder):
    scenario = Scenario(folder, "delegations")
    image = scenario.image
    image.delegate("targets", "radio", ["radio/*"], make_key=ECDSA)
    image.delegate("targets", "supplier/qa", ["brakes/*"], make_key=RSA)
    image.delegate("supplier/qa", "plant", ["brakes/*.bin"])
    scenario.order("brakes/firmware.bin", b"firmware", role="plant")
    scenario.cycle("updated")
    # The radio's supplier lists the brakes' firmware.
    scenario.bump()
    image.bump("radio", "plant")
    scenario.order("brakes/firmware.bin", b"evil", counter=2, role="radio")
    image.roles["plant"].targets.clear()
    scenario.cycle("no-image")


def multi_role(folder):
    for agree, expected in ((True, "updated"), (False, "no-image")):
        scenario = Scenario(folder, f"multi-role-{expected}")
        image = scenario.image
        image.delegate("targets", "supplier", ["brakes/*"])
        image.delegate("targets", "qa", ["brakes/*"], make_key=ECDSA)

        def together(role, signed):
            if role != "targets":
                return
            roles = signed["delegations"]["roles"]
            signed["delegations"]["roles"] = [
                {
                    "roles": [{key: role[key] for key in ("name", "keyids", "threshold")} for role in roles],
                    "minRolesInAgreement": 2,
                    "paths": ["brakes/*"],
                    "terminating": False,
                    "hardwareIds": ["hw-a"],
                }
            ]

        image.rewrite = together
        scenario.order("brakes/firmware.bin", b"firmware", role="supplier")
        image.add_image("brakes/firmware.bin", b"firmware" if agree else b"f1rmware", match(), "qa")
        scenario.order("brakes/firmware.bin", b"firmware", role="supplier")
        scenario.cycle(expected)


def going_back(folder):
    for role in ("targets", "snapshot", "timestamp"):
        for name in ("director", "image"):
            scenario = Scenario(folder, f"rollback-{name}-{role}")
            repository = getattr(scenario, name)
            payload = repository.roles.get(role) or getattr(repository, role)
            payload.version = 7
            scenario.order("a", b"a")
            scenario.cycle("updated")
            scenario.bump()
            payload.version = 6
            scenario.order("a", b"b", counter=2)
            scenario.cycle("rollback")


def freezing(folder):
    for role in ("root", "targets", "snapshot", "timestamp"):
        for name in ("director", "image"):
            scenario = Scenario(folder, f"freeze-{name}-{role}")
            repository = getattr(scenario, name)
            payload = repository.roles.get(role) or getattr(repository, role)
            payload.expires = EARLIER
            scenario.order("a", b"a")
            scenario.cycle("freeze")


def rotation(folder):
    """All roots but the last expired while the vehicle was parked; all keys have changed."""
    scenario = Scenario(folder, "rotation")
    scenario.order("a", b"a")
    scenario.image.root.expires = EARLIER
    scenario.image.write(scenario.folder / "1", "image/metadata", "image/targets")
    root = scenario.image.root_files["1.root.json"]
    for make_key in (ECDSA, RSA, ED25519):
        before = scenario.image.signers["root"]
        for role in ("root", "timestamp", "snapshot", "targets"):
            scenario.image.require(role, [make_key()], 1)
        new = scenario.image.signers["root"]
        scenario.image.signers["root"] = [*before, *new]
        scenario.image.bump("root")
        if make_key is ED25519:
            scenario.image.root.expires = LATER
        scenario.image.root_files[f"{scenario.image.root.version}.root.json"] = scenario.image.signed_bytes(
            "root", scenario.image.root
        )
        scenario.image.signers["root"] = new
    # The last root stays signed by both.
    scenario.image.signers["root"] = [*before, *new]
    scenario.cycle("updated")
    assert scenario.image.root_files["1.root.json"] == root


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for make in (
        key_types,
        unusual_text,
        thresholds,
        delegations,
        multi_role,
        going_back,
        freezing,
        rotation,
    ):
        make(target)
