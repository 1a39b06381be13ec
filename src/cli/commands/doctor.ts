/** `otaops doctor`: checks the health of a running server from outside. */
import { connect } from 'node:net';
import { type Command } from 'commander';
import {
  deadLetterApi,
  operationApi,
  type Receiver,
  receiverApi,
} from '../../contract/adapter-api/index.js';
import { scheduleApi } from '../../contract/carota-api/index.js';
import {
  ApiError,
  auditApi,
  type BrokerHost,
  type Client,
  parseBrokerUrl,
  serviceApi,
} from '../../contract/index.js';
import { CLOCK_OFFSET, WARN_SECONDS } from '../../service/clock/index.js';
import { trustedAuthorities } from '../../service/tls/trust.js';
import { peerCertificate } from '../peer-certificate.js';
import { serverCommand, clientOf, type CommonFlags } from '../server-command.js';
import { print, printJson } from '../output.js';
import { addSettings, LOCAL_BROKER, MQTT_URL } from '../settings/index.js';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** Works, and should be changed nevertheless. */
  readonly isWarning?: boolean;
  readonly detail: string;
}

const CONNECT_MS = 3_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Certificates with fewer days left should have been renewed. */
const RENEWED_DAYS = 14;

export function doctorCommand(program: Command): void {
  const command = serverCommand(program, {
    usage: 'doctor',
    description: 'check an adapter with its database, broker and receivers, or a CarOTA Server',
    examples: [
      'otaops doctor',
      'otaops doctor --url https://ota.example --mqtt-url mqtts://b:8883',
    ],
  });
  addSettings(command, [{ ...MQTT_URL, default: LOCAL_BROKER }]);
  command.action(async (flags: CommonFlags & { mqttUrl: string }) => {
    const client = await clientOf(flags);
    const readiness = await readinessOf(client);
    const isCarota = 'parts' in readiness && !('messageLink' in readiness.parts);
    const findings = isCarota
      ? [
          healthOf('CarOTA Server', readiness),
          await clock(client),
          await token(() => client.call(scheduleApi.listSchedules, ONE)),
          await auditLog(client),
        ]
      : [
          healthOf('adapter', readiness),
          await clock(client),
          await token(() => client.call(operationApi.listOperations, ONE)),
          ...(await brokers(flags.mqttUrl)),
          ...(await callbacks(client)),
          await deadLetters(client),
          await auditLog(client),
        ];
    findings.push(...(await certificates(flags)));
    if (flags.json) printJson(findings);
    else
      for (const { what, ok, isWarning = false, detail } of findings)
        print(`${ok ? (isWarning ? 'WARN' : 'ok  ') : 'BAD '} ${what}: ${detail}`);
    const bad = findings.filter(({ ok }) => !ok).length;
    if (bad > 0) throw new Error(`${bad} of ${findings.length} checks failed`);
  });
}

const ONE = { query: { limit: 1 } };

/** Checks of `/readyz`: an adapter has a message link, the CarOTA Server has none. */
type Readiness =
  | { readonly parts: Readonly<Record<string, boolean>>; readonly problem: string | undefined }
  | { readonly fault: string };

async function readinessOf(client: Client): Promise<Readiness> {
  try {
    const { problem, ...rest } = await client.call(serviceApi.getReadiness, {});
    const parts = Object.entries<unknown>(rest).filter(
      (entry): entry is [string, boolean] => typeof entry[1] === 'boolean',
    );
    if (parts.length === 0) return { fault: 'something else answers at this address' };
    return { parts: Object.fromEntries(parts), problem };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

const NAMES: Readonly<Record<string, string>> = { messageLink: 'message link' };

function healthOf(what: string, readiness: Readiness): Finding {
  if ('fault' in readiness) return { what, ok: false, detail: readiness.fault };
  const { parts, problem } = readiness;
  const states = Object.entries(parts).map(
    ([name, isUp]) => `${NAMES[name] ?? name} ${isUp ? 'up' : 'DOWN'}`,
  );
  const detail = states.join(', ') + (problem === undefined ? '' : `: ${problem}`);
  return { what, ok: problem === undefined && Object.values(parts).every(Boolean), detail };
}

/** Whether the database keeps the server from changing its audit log, and the log is being sealed. */
async function auditLog(client: Client): Promise<Finding> {
  return check('audit log', async () => {
    const { weaknesses, seal, position } = await client.call(auditApi.getAuditStatus, {});
    if (weaknesses.length > 0) {
      const detail = `the database role of the server could change it: ${weaknesses.join(', ')}`;
      return { ok: true, isWarning: true, detail };
    }
    const age = Date.now() - (seal?.time ?? 0);
    if (position > 0 && age > 2 * DAY_MS) return { ok: false, detail: 'not sealed for two days' };
    return { ok: true, detail: `${position} entries, sealed up to ${seal?.to ?? 0}` };
  });
}

/** From the Prometheus metrics. */
async function clock(client: Client): Promise<Finding> {
  return check('clock', async () => {
    const text = await (await client.open(serviceApi.getMetrics, {})).text();
    const value = new RegExp(`^${CLOCK_OFFSET.name} (\\S+)$`, 'm').exec(text)?.[1];
    if (value === undefined) return { ok: false, detail: 'the server does not say' };
    const seconds = Number(value);
    const side = seconds < 0 ? 'behind' : 'ahead of';
    return {
      ok: Math.abs(seconds) <= WARN_SECONDS,
      detail: `the server’s machine is ${Math.abs(seconds).toFixed(2)} s ${side} the database`,
    };
  });
}

/** Of the HTTP interface, if it has one. */
async function certificates({ url: text, ca }: CommonFlags): Promise<Finding[]> {
  const url = new URL(text);
  if (url.protocol !== 'https:') return [];
  const finding = await check('certificate', async () => {
    const { expires, fault } = await peerCertificate(url, await trustedAuthorities(ca), CONNECT_MS);
    const days = Math.floor((expires - Date.now()) / DAY_MS);
    const until = `expires on ${new Date(expires).toISOString().slice(0, 10)}, in ${days} days`;
    if (fault !== undefined) return { ok: false, detail: `is refused (${fault}); ${until}` };
    return { ok: days >= RENEWED_DAYS, detail: until };
  });
  return [finding];
}

async function token(listOne: () => Promise<unknown>): Promise<Finding> {
  return check('token', async () => {
    await listOne();
    return { ok: true, detail: 'is accepted' };
  });
}

const brokers = (url: string): Promise<Finding[]> =>
  Promise.all(parseBrokerUrl(url).hosts.map(broker));

function broker({ host, port }: BrokerHost): Promise<Finding> {
  return new Promise((resolve) => {
    const tell = (ok: boolean, detail: string) => {
      socket.destroy();
      resolve({ what: 'MQTT broker', ok, detail: `${host}:${port} ${detail}` });
    };
    const socket = connect(port, host);
    socket.setTimeout(CONNECT_MS, () => tell(false, 'does not answer'));
    socket.once('connect', () => tell(true, 'accepts connections'));
    socket.once('error', (error) => tell(false, error.message));
  });
}

async function callbacks(client: Client): Promise<Finding[]> {
  let receivers: readonly Receiver[] = [];
  const list = await check('call-back', async () => {
    ({ items: receivers } = await client.call(receiverApi.listReceivers, {}));
    return { ok: true, detail: `${receivers.length} receivers` };
  });
  return [
    list,
    ...receivers.map(({ name, behind, failures, failure }) => ({
      what: `call-back to ${name}`,
      ok: failures === 0,
      detail: `${behind} events behind${failures === 0 ? '' : `, ${failures} failures: ${failure ?? ''}`}`,
    })),
  ];
}

/** Informational: dead letters alone are no failure. */
async function deadLetters(client: Client): Promise<Finding> {
  return check('dead letters', async () => {
    const query = { replayed: false, limit: 1 };
    const { items } = await client.call(deadLetterApi.listDeadLetters, { query });
    const newest = items[0];
    return { ok: true, detail: newest ? `there are some, the newest: ${newest.reason}` : 'none' };
  });
}

async function check(what: string, ask: () => Promise<Omit<Finding, 'what'>>): Promise<Finding> {
  try {
    return { what, ...(await ask()) };
  } catch (error) {
    const code = error instanceof ApiError ? `${error.code}: ` : '';
    return { what, ok: false, detail: code + (error as Error).message };
  }
}
