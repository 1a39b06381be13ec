"""Reports the changed dossiers in which examples/verify_dossier.py finds no fault.

usage: tamper.py EXAMPLES, and on standard input JSON: {"dossiers": [base64 …], "flip": base64, "masks": [int …]}

Every byte of `flip` is XORed with the mask at its index. Prints JSON: {"intact": [indexes of dossiers], "flips": n,
"unnoticed": [offsets]}.
"""

import base64
import json
import sys

sys.path.insert(0, sys.argv[1])
from verify_dossier import BadDossier, verify  # noqa: E402


def is_intact(data):
    try:
        verify(bytes(data))
        return True
    except BadDossier:
        return False


given = json.load(sys.stdin)
dossiers = map(base64.b64decode, given["dossiers"])
intact = [place for place, dossier in enumerate(dossiers) if is_intact(dossier)]
content = bytearray(base64.b64decode(given["flip"]))
unnoticed = []
for offset, mask in enumerate(given["masks"]):
    content[offset] ^= mask
    if is_intact(content):
        unnoticed.append(offset)
    content[offset] ^= mask
print(json.dumps({"intact": intact, "flips": len(given["masks"]), "unnoticed": unnoticed}))
