"""A vehicle in Python that shares no code with OTA Operations and has a client certificate: it enrols by EST (RFC 7030) with
openssl, curl and a one-time code, speaks MQTT over TLS with its certificate, and gets the next certificate, with another key,
while it reports the progress of an update. Needs paho-mqtt (pip install paho-mqtt, or Debian's python3-paho-mqtt).

    ENROLMENT_CODE=… python3 certified_vehicle.py <https://carota:8443> <mqtt host:port> <system_id> <vin> <CA of both servers>
                                                 <folder> [<number of progress events>]
"""
import base64, json, os, ssl, subprocess, sys, time, uuid
import paho.mqtt.client as mqtt

carota, broker, system_id, vin, servers_ca, folder = sys.argv[1:7]
events = int(sys.argv[7]) if len(sys.argv) > 7 else 20
host, port = broker.rsplit(":", 1)
SUCCESS = {"downloaded": 4, "md5_check_success": 9, "pki_check_success": 11, "reboot": 5, "success": 6}
DOWNLOADING = 3


def run(*command, **options):
    """@returns standard output, as bytes"""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def enrol(number, proof, path):
    """A new key and its certificate. @returns the files of both"""
    key, cert = os.path.join(folder, f"{number}.key"), os.path.join(folder, f"{number}.pem")
    request = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-subj", f"/CN={system_id}", "-outform", "DER", stderr=subprocess.DEVNULL)
    # The proof may be a code: curl reads it from a file, as everybody can see arguments.
    answer = run("curl", "-sS", "--fail", "--cacert", servers_ca, "--config", "/dev/fd/0",
                 "-H", "content-type: application/pkcs10", "-d", base64.b64encode(request).decode(),
                 f"{carota}/.well-known/est/{path}", input=proof.encode())
    chain = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(answer))
    with open(cert, "wb") as file:
        file.write(chain)
    return cert, key


def connect(cert, key, on_trigger):
    """A connection with the persistent session of the vehicle, once the broker has taken its subscription."""
    # paho-mqtt 2 requires a choice of call-back interface; 1.x has only this one.
    version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
    client = mqtt.Client(*version, client_id=system_id, clean_session=False)
    client.tls_set(ca_certs=servers_ca, certfile=cert, keyfile=key, cert_reqs=ssl.CERT_REQUIRED)
    subscribed = []
    client.on_connect = lambda *_: client.subscribe(f"c2d/{system_id}", qos=1)
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.on_message = lambda _client, _data, message: on_trigger(json.loads(message.payload))
    client.connect(host, int(port))
    client.loop_start()
    while not subscribed:
        time.sleep(0.02)
    return client


def publish(client, message_type, correlation_id, body):
    """One envelope to d2c/<system_id>; returns once the broker has acknowledged it (QoS 1)."""
    envelope = {
        "message_id": f"msg-dev-{uuid.uuid4()}", "correlation_id": correlation_id, "version": "v1",
        "system_id": system_id, "sub_system_id": "", "vin": vin, "device_id": "tcu-1", "ecu_type": "TCU",
        "source_id": "c2c-edge", "target_id": "c2c-otaadapter", "message_type": message_type,
        "time": int(time.time()), "ttl": -1, "status": "SUBMIT", "property_bag": {"body_encoding_type": 1},
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
    }
    client.publish(f"d2c/{system_id}", json.dumps(envelope), qos=1).wait_for_publish()
    print("acknowledged", envelope["message_id"], flush=True)


os.makedirs(folder, mode=0o700, exist_ok=True)
own = enrol(1, f'user = "{system_id}:{os.environ["ENROLMENT_CODE"]}"', "simpleenroll")
print("enrolled", own[0], flush=True)
triggers = []
vehicle = connect(*own, triggers.append)
print("connected", flush=True)
while not triggers:
    time.sleep(0.05)
trigger = triggers[0]
order = json.loads(base64.b64decode(trigger["body"]))


def report(status, meta=()):
    publish(vehicle, "OTA_EVENT", trigger["message_id"], {
        "vin": vin, "device_id": "tcu-1", "device_type": "TCU", "status": status, "meta": list(meta),
        "timestamp": int(time.time() * 1000), "ref-id": order["ref-id"],
    })


publish(vehicle, "OTA_TRIGGER_ACK", trigger["message_id"], {"acknowledge_time": int(time.time() * 1000)})
for number in range(events):
    if number == events // 2:
        # The next certificate for the one before it. The broker closes the old connection when the new one opens.
        cert, key = own
        own = enrol(2, f'cert = "{cert}"\nkey = "{key}"', "simplereenroll")
        before, vehicle = vehicle, connect(*own, triggers.append)
        before.loop_stop()
        print("renewed", own[0], flush=True)
    report(DOWNLOADING, [{"key": "download", "value": f"{100 * number // events}%"}])
for name, status in SUCCESS.items():
    report(status)
    print(name, flush=True)
    time.sleep(0.01)
vehicle.loop_stop()
vehicle.disconnect()
