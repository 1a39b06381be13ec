#!/usr/bin/env bash
# Installs the real servers, clients and browser that the tests use, on Debian and as root: the one list of these
# packages. `.ci/run`, the devcontainer and people run it. Does nothing where everything is installed.
set -euo pipefail

missing=()
command -v git >/dev/null || missing+=(git)
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
/usr/bin/python3 -c 'import paho.mqtt' 2>/dev/null || missing+=(python3-paho-mqtt)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
[ -e /usr/lib/*/faketime/libfaketime.so.1 ] || missing+=(faketime)
[ -x /usr/sbin/rabbitmq-server ] || missing+=(rabbitmq-server)
command -v softhsm2-util >/dev/null || missing+=(softhsm2)
command -v tmux >/dev/null || missing+=(tmux)
command -v pdftotext >/dev/null || missing+=(poppler-utils)
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || missing+=(chromium-headless-shell)
command -v pg_config >/dev/null && [ -x "$(pg_config --bindir)/initdb" ] || missing+=(postgresql postgresql-common libpq-dev)

if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
