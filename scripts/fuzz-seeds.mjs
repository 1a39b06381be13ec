// What the API fuzzer finds on both servers: something under each kind of name, and the identifiers that it cannot guess.
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import mqtt from 'mqtt';
import { encodeMessage, EVENT_STATUS, otaEvent } from '../dist/contract/index.js';
import { canonicalJson } from '../dist/uptane/json/canonical-json.js';

export const VIN = '5YJSA1E40FF345678';
const SYSTEM_ID = 'sys-1';
const MODEL = 'vehicle model a';
const REF_ID = 'schedule 0909';
const SCRIPT = 'hu only 001';
/** So many of each kind that is deleted while others still ask for it. */
const SPARE = 20;

/**
 * Identifiers that exist: by method and path, alternatives of `{ path?: {…}, query?: {…} }`.
 * @typedef {Record<string, { path?: Record<string, string>, query?: Record<string, string> }[]>} Known
 */

/** @throws Error unless the answer is a 2xx */
export async function call({ url, token }, method, path, body, type = 'application/json') {
  const response = await fetch(url + path, {
    method,
    headers: {
      'authorization-token': token,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' || type !== 'application/json' ? text : JSON.parse(text);
}

/** @returns {Promise<Known>} */
export async function seedAdapter(server) {
  const credential = randomBytes(24).toString('base64url');
  await call(server, 'PUT', `/v1.0/vehicles/${VIN}`, {
    system_id: SYSTEM_ID,
    model: MODEL,
    credential,
  });
  const carOtaServerEvent = { model: MODEL, 'ref-id': REF_ID, 'script-ref-id': SCRIPT };
  await call(server, 'POST', '/v1.0/ota/trigger', {
    time: 1625660275379,
    version: 'v1',
    body: { ...carOtaServerEvent, vins: [VIN] },
  });
  const receivers = [];
  for (let n = 0; n < SPARE; n++) {
    const receiver = { name: `fuzz ${n}`, url: 'http://receiver.example/' };
    receivers.push(await call(server, 'POST', '/v1.0/callbacks', receiver));
  }
  const messageId = await sendMessages(server.mqttPort, credential);
  const deadLetters = await until(async () => {
    const { items } = await call(server, 'GET', '/v1.0/dead-letters');
    return items.length > 0 ? items : undefined;
  });
  const [kept, ...others] = receivers.map(({ id }) => ({ path: { id } }));
  const message = { 'ref-id': REF_ID, vin: VIN, message_id: messageId };
  return {
    'GET /v1.0/ota/operations/{ref-id}/vehicles/{vin}/messages/{message_id}': [{ path: message }],
    'POST /v1.0/callbacks/{id}/replay': [kept],
    'PATCH /v1.0/callbacks/{id}': [kept],
    'DELETE /v1.0/callbacks/{id}': others,
    'POST /v1.0/dead-letters/{id}/replay': deadLetters.map(({ id }) => ({ path: { id } })),
  };
}

/** An event, and one that becomes a dead letter. @returns the message_id of the event */
async function sendMessages(mqttPort, credential) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, {
    clientId: SYSTEM_ID,
    username: SYSTEM_ID,
    password: credential,
    protocolVersion: 4,
  });
  const [messageId, other] = ['msg-dev-fuzz-1', 'msg-dev-fuzz-2'];
  for (const [id, refId] of [
    [messageId, REF_ID],
    [other, 'no such operation'],
  ]) {
    const facts = {
      ...{ messageId: id, correlationId: 'msg-cld-unknown', systemId: SYSTEM_ID, vin: VIN },
      ...{ deviceId: 'device1234', ecuType: 'TCU', time: Math.floor(Date.now() / 1000) },
    };
    const event = {
      ...{ vin: VIN, device_id: 'device1234', device_type: 'TCU', meta: [] },
      ...{ status: EVENT_STATUS.downloading, timestamp: Date.now(), 'ref-id': refId },
    };
    await client.publishAsync(`d2c/${SYSTEM_ID}`, encodeMessage(otaEvent(facts, event)), {
      qos: 1,
    });
  }
  await client.endAsync();
  return messageId;
}

/**
 * @param callbackSecret of its event call-back
 * @returns {Promise<Known>}
 */
export async function seedCarota(server, callbackSecret) {
  const artifacts = [];
  for (let n = 0; n < SPARE; n++) artifacts.push(await upload(server, `software ${n}`));
  const [artifact, ...spare] = artifacts;
  const { sha256, md5, size } = artifact;
  await call(server, 'PUT', `/v1.0/vehicles/${VIN}`, { model: MODEL, versions: { HU: '1.0.0' } });
  await sendManifest(server);
  await call(server, 'POST', '/v1.0/update-scripts', {
    ...{ version: 'v1', 'script-ref-id': SCRIPT, model: MODEL },
    ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
  });
  const plan = { 'script-ref-id': SCRIPT, model: MODEL, vins: [VIN] };
  // The fuzzer's own one starts later, so that everything in it can be changed.
  const later = { ...plan, 'ref-id': REF_ID, start: '2030-01-01T00:00:00Z' };
  const running = { ...plan, 'ref-id': 'running' };
  for (const body of [later, running]) await call(server, 'POST', '/v1.0/schedules', body);
  await callBackUnusable(server, callbackSecret);
  const { items } = await call(server, 'GET', '/v1.0/refused-events');
  const link = new URL(artifact.url, server.url);
  const content = {
    path: { sha256 },
    query: Object.fromEntries(link.searchParams),
  };
  const one = { path: { sha256 } };
  return {
    'GET /v1.0/artifacts/{sha256}': [one],
    'DELETE /v1.0/artifacts/{sha256}': spare.map(({ sha256 }) => ({ path: { sha256 } })),
    'GET /v1.0/artifacts/{sha256}/content': [content],
    'HEAD /v1.0/artifacts/{sha256}/content': [content],
    'POST /v1.0/refused-events/{id}/replay': items.map(({ id }) => ({ path: { id } })),
    'POST /v1.0/schedules/{ref-id}/vehicles/{vin}/admission': ['running', REF_ID].map((refId) => ({
      path: { 'ref-id': refId, vin: VIN },
    })),
    'POST /uptane/director/{vin}/manifest': [{ path: { vin: VIN } }],
    'GET /v1.0/vehicles/{vin}/manifest': [{ path: { vin: VIN } }],
  };
}

const upload = async (server, text) =>
  JSON.parse(await call(server, 'POST', '/v1.0/artifacts', text, 'application/octet-stream'));

/** Of a vehicle with one ECU, its Primary (Uptane, "vehicle version manifest"). */
async function sendManifest(server) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  // The key is the end of its SubjectPublicKeyInfo (RFC 8410).
  const keyval = { public: publicKey.subarray(-32).toString('hex') };
  const listed = { keytype: 'ed25519', scheme: 'ed25519', keyval };
  const keyid = createHash('sha256').update(canonicalJson(listed)).digest('hex');
  const signed = (content) => {
    const key = { key: privateKey, type: 'pkcs8', format: 'der' };
    const sig = sign(null, canonicalJson(content), key).toString('hex');
    return { signatures: [{ keyid, sig }], signed: content };
  };
  const ecu = { serial: 'P-1', name: 'OTA-MANAGER', hardwareId: 'hw-primary', isPrimary: true };
  await call(server, 'PUT', `/v1.0/vehicles/${VIN}/ecus`, {
    ecus: [{ ...ecu, publicKey: listed }],
  });
  const report = signed({
    ...{ _type: 'ecu-report', vin: VIN, ecu: ecu.serial, hardwareId: ecu.hardwareId },
    ...{
      time: `${new Date().toISOString().slice(0, 19)}Z`,
      nonce: randomBytes(16).toString('hex'),
    },
  });
  const manifest = { _type: 'manifest', vin: VIN, primary: ecu.serial };
  await call(
    server,
    'POST',
    `/uptane/director/${VIN}/manifest`,
    signed({ ...manifest, ecuReports: { [ecu.serial]: report } }),
  );
}

/** Events that are set aside (Standard Webhooks). */
async function callBackUnusable({ url }, secret) {
  const body = JSON.stringify({
    ...{ time: Date.now(), version: 'v1' },
    body: { events: [{ 'event-id': 'evt-unusable', vin: VIN, 'ref-id': REF_ID, status: 6.5 }] },
  });
  const [id, seconds] = ['fuzz', Math.floor(Date.now() / 1000)];
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  const response = await fetch(`${url}/v1.0/ota/events`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'webhook-id': id },
      ...{ 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` },
    },
    body,
  });
  if (!response.ok) throw new Error(`the call-back: ${response.status} ${await response.text()}`);
}

/** Polls until there is a result. */
async function until(ask) {
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
