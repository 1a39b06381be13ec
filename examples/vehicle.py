"""A vehicle in Python that shares no code with OTA Operations: it receives one OTA_TRIGGER, acknowledges it and
reports a successful update. Needs paho-mqtt (pip install paho-mqtt, or Debian's python3-paho-mqtt).

    python3 vehicle.py <mqtt host:port> <system_id> <credential> <vin>
"""
import base64, json, sys, time, uuid
import paho.mqtt.client as mqtt

broker, system_id, credential, vin = sys.argv[1:5]
host, port = broker.rsplit(":", 1)
STATUS = {"received": 1, "consent_accepted": 100, "downloading": 3, "downloaded": 4, "md5_check_success": 9,
          "pki_check_success": 11, "reboot": 5, "success": 6}


def publish(message_type, correlation_id, body):
    """Publishes one envelope to d2c/<system_id>; returns once the broker has acknowledged it (QoS 1)."""
    envelope = {
        "message_id": f"msg-dev-{uuid.uuid4()}", "correlation_id": correlation_id, "version": "v1",
        "system_id": system_id, "sub_system_id": "", "vin": vin, "device_id": "tcu-1", "ecu_type": "TCU",
        "source_id": "c2c-edge", "target_id": "c2c-otaadapter", "message_type": message_type,
        "time": int(time.time()), "ttl": -1, "status": "SUBMIT", "property_bag": {"body_encoding_type": 1},
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
    }
    client.publish(f"d2c/{system_id}", json.dumps(envelope), qos=1).wait_for_publish()


triggers = []
# paho-mqtt 2 requires a choice of call-back interface; 1.x has only this one.
version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*version, client_id=system_id, clean_session=False)
client.username_pw_set(system_id, credential)
client.on_connect = lambda *_: client.subscribe(f"c2d/{system_id}", qos=1)
client.on_message = lambda _client, _data, message: triggers.append(json.loads(message.payload))
client.connect(host, int(port))
client.loop_start()
while not triggers:
    time.sleep(0.05)

trigger = triggers[0]
order = json.loads(base64.b64decode(trigger["body"]))
publish("OTA_TRIGGER_ACK", trigger["message_id"], {"acknowledge_time": int(time.time() * 1000)})
for number, (name, status) in enumerate(STATUS.items()):
    publish("OTA_EVENT", trigger["message_id"], {
        "vin": vin, "device_id": "tcu-1", "device_type": "TCU", "status": status, "meta": [],
        "timestamp": int(time.time() * 1000) + number, "ref-id": order["ref-id"],
    })
    print(name, flush=True)
client.loop_stop()
client.disconnect()
