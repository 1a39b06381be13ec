"""A person at a terminal: types passphrases and answers as soon as the command line asks for them.

Usage: passphrase.py NODE MAIN ARGS… < JSON, a list of [prompt, typed text]
Prints what the terminal shows, and then the exit code on a line of its own.
"""
import json
import os
import pty
import sys

steps = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
for asked, typed in steps:
    while asked.encode() not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, typed.encode())
    # The next step must not match this prompt again.
    shown = shown.replace(asked.encode(), asked.encode()[:-1] + b"|", 1)
try:
    while chunk := os.read(terminal, 4096):
        shown += chunk
except OSError:
    pass
print(shown.decode())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
