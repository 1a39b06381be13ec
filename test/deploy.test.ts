/** The deployment files are correct: everything that they name exists, and the broker's rules hold. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseJsonc } from 'jsonc-parser';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startMosquittoWith } from '../src/test-bed/index.js';
import { newDeviceMessageId } from '../src/contract/index.js';
import { startTestCarota } from './carota/support/test-carota.js';
import { eventually, startTestAdapter, type TestAdapter } from './support/adapter.js';
import { hasMosquitto } from './support/databases.js';
import { eventBytes, vehicleOf } from './support/messages.js';
import { runCommand } from './support/run-command.js';
import { freePort, isInstalled } from './support/servers.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const isThere = (path: string) => existsSync(new URL(`../${path}`, import.meta.url));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
const rules = (
  parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const { panels } = JSON.parse(read('deploy/grafana/dashboard.json')) as { panels: Panel[] };
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ name: title, expr })),
);

describe('metrics', () => {
  let known: Set<string>;
  beforeAll(async () => {
    const t = await startTestAdapter();
    const carota = await startTestCarota(t.adapter.httpUrl);
    const texts = [await t.call('GET', '/metrics'), await carota.call('GET', '/metrics')];
    await carota.stop();
    await t.stop();
    const text = texts.map(({ body }) => String(body)).join('');
    const types = text.matchAll(/^# TYPE (\S+) (\S+)$/gm);
    known = new Set(
      [...types].flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    known.add('up');
  });

  test.each([...rules.map(({ alert: name, expr }) => ({ name, expr })), ...queries])(
    '$name queries only existing metrics',
    ({ expr }) => {
      const names = expr
        .replace(/\{[^}]*\}/g, '')
        .replace(/\b(by|without) \([^)]*\)/g, '')
        .matchAll(/\b(?:up|(?:otaops|process|nodejs)_\w+)\b/g);
      const asked = [...names].map(([name]) => name);
      expect(asked.length).toBeGreaterThan(0);
      for (const name of asked) expect(known).toContain(name);
    },
  );
});

test('each alert has a page that says what it means, what to look at and what to do; each page has an alert', () => {
  const words = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  for (const { alert, annotations, expr, for: duration = '0m', labels } of rules) {
    expect(annotations.runbook).toBe(`docs/failures/${alert}.md`);
    const page = read(annotations.runbook);
    expect(page).toContain(`# ${alert}: ${annotations.summary}\n`);
    const when = duration === '0m' ? 'as soon as this holds' : `when this holds for ${duration}`;
    expect(page).toContain(`\nSeverity: ${labels.severity}. Fires ${when}:\n`);
    expect(words(/^```\n([^]*?)\n```$/m.exec(page)?.[1] ?? '')).toBe(words(expr));
    expect(read('docs/failures/README.md')).toMatch(
      new RegExp(`\\[${alert}\\].* ${labels.severity} +\\| ${annotations.summary} `),
    );
    for (const heading of ['What it means', 'What to look at', 'What to do']) {
      expect(page).toContain(`## ${heading}`);
    }
  }
  const pages = readdirSync(new URL('../docs/failures', import.meta.url)).sort();
  expect(pages).toEqual(['README.md', ...rules.map(({ alert }) => `${alert}.md`)].sort());
});

test('the commands that the documents name exist', async () => {
  const help = await runCommand(['completion', '--shell', 'bash']);
  const commands = new Set(
    [...help.output.matchAll(/^ {4}'([a-z -]*)'\)/gm)].map(([, words = '']) => words),
  );
  const documents = [
    'README.md',
    ...readdirSync(new URL('../docs', import.meta.url), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  for (const document of documents) {
    for (const [, first = '', second = ''] of read(document).matchAll(
      /\botaops ([a-z][a-z-]+)(?: ([a-z-]+))?/g,
    )) {
      const isCommand = commands.has(`${first} ${second}`) || commands.has(first);
      expect(isCommand, `otaops ${first} ${second} in ${document}`).toBe(true);
    }
  }
});

test('the compose file names existing files, settings and services', async () => {
  const compose = parse(read('deploy/compose.yaml')) as {
    services: Record<
      string,
      { environment?: Record<string, string>; volumes?: string[]; depends_on?: object }
    >;
    volumes: Record<string, unknown>;
  };
  const help = await runCommand(['serve', '--help']);
  for (const variable of Object.keys(compose.services.adapter?.environment ?? {})) {
    expect(help.output).toContain(variable);
  }
  for (const { volumes = [], depends_on: dependsOn = {} } of Object.values(compose.services)) {
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      // Each deployment has its own passwords.
      if (/^\.\/mosquitto\/(adapter-)?passwords$/.test(source)) continue;
      if (source.startsWith('.')) expect(isThere(join('deploy', source)), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    for (const service of Object.keys(dependsOn)) expect(compose.services).toHaveProperty(service);
  }
  // Otherwise no secret could be stored.
  expect(compose.services.adapter?.environment).toMatchObject({
    OTAOPS_SECRET_KEY: '${SECRET_KEY:?}',
  });
  const needed = [...read('deploy/compose.yaml').matchAll(/\$\{(\w+):\?\}/g)].map(
    ([, name]) => name,
  );
  for (const name of needed)
    expect(read('deploy/.env.example')).toMatch(new RegExp(`^${name}=`, 'm'));
});

test('the images are built on one exact release of Node.js, that of the smoke test', () => {
  const [, newest = ''] = /^const NEWEST = '(\d+)';$/m.exec(read('scripts/smoke.mjs')) ?? [];
  const bases = ['Dockerfile', '.devcontainer/Dockerfile'].flatMap((file) =>
    [...read(file).matchAll(/\bnode:(\d\S+)/g)].map(([, tag = '']) => tag.replace(/-.*/, '')),
  );
  expect(bases.length).toBeGreaterThan(1);
  expect(new Set(bases).size).toBe(1);
  expect(bases[0]).toMatch(new RegExp(`^${newest}\\.\\d+\\.\\d+$`));
});

test('the devcontainer and CI install what the tests need from one list', () => {
  const { build } = parseJsonc(read('.devcontainer/devcontainer.json')) as {
    build: { dockerfile: string; context: string };
  };
  const dockerfile = join('.devcontainer', build.dockerfile);
  expect(join('.devcontainer', build.context)).toBe('.');
  const list = 'scripts/install-test-servers.sh';
  const [, copied = ''] = /^COPY (\S+) /m.exec(read(dockerfile)) ?? [];
  expect(copied).toBe(list);
  expect(isThere(list)).toBe(true);
  const ignored = read('.dockerignore').split('\n');
  expect(ignored.some((entry) => entry !== '' && list.startsWith(entry))).toBe(false);
  expect(read('.ci/run')).toContain(`bash ${list}`);
  for (const file of ['.ci/run', '.github/workflows/ci.yml', dockerfile]) {
    expect(read(file), file).not.toContain('apt-get');
  }
});

test('the Dockerfile copies existing files', () => {
  for (const [, sources = ''] of read('Dockerfile').matchAll(/^COPY ((?!--).*) \S+$/gm)) {
    for (const source of sources.split(' ')) expect(isThere(source), source).toBe(true);
  }
});

const hasPasswords = await isInstalled('mosquitto_passwd', 'apt-get install mosquitto');

describe.skipIf(!hasMosquitto() || !hasPasswords)(
  'Mosquitto with the deployment’s configuration',
  () => {
    const [alice, bob] = [vehicleOf(1, 'DPL'), vehicleOf(2, 'DPL')] as const;
    let broker: Awaited<ReturnType<typeof startMosquittoWith>>;
    let t: TestAdapter;

    let adapterPort: number;

    beforeAll(async () => {
      adapterPort = await freePort();
      broker = await startMosquittoWith(({ directory, port }) => {
        // Mosquitto reads them as its own user, who has no access to files that only we can read.
        const readable = (file: string) => execFileSync('chmod', ['644', join(directory, file)]);
        const passwords = (file: string, users: Readonly<Record<string, string>>) => {
          for (const [n, [user, password]] of Object.entries(users).entries()) {
            const create = n === 0 ? ['-c'] : [];
            execFileSync('mosquitto_passwd', [
              ...create,
              ...['-b', join(directory, file), user, password],
            ]);
          }
          readable(file);
        };
        passwords('passwords', { [alice.systemId]: 'a', [bob.systemId]: 'b' });
        passwords('adapter-passwords', { 'otaops-adapter': 'pw' });
        for (const file of ['acl-vehicles', 'acl-adapters']) {
          writeFileSync(join(directory, file), read(`deploy/mosquitto/${file}`));
          readable(file);
        }
        return read('deploy/mosquitto/mosquitto.conf')
          .replaceAll('/mosquitto/config/', `${directory}/`)
          .replace('/mosquitto/data/', `${directory}/`)
          .replace('listener 1883', `listener ${port} 127.0.0.1`)
          .replace('listener 1884', `listener ${adapterPort} 127.0.0.1`);
      });
      t = await startTestAdapter({ mqttUrl: `mqtt://otaops-adapter:pw@127.0.0.1:${adapterPort}` });
      await t.register(alice, bob);
      await eventually(
        async () => (await t.call('GET', '/readyz')).status,
        (status) => status === 200,
      );
    });
    afterAll(async () => {
      await t.stop();
      await broker.stop();
    });

    const connect = (user: string, password: string, url = broker.url, clean = true) =>
      mqtt.connectAsync(url, {
        clientId: 'whatever it says',
        username: user,
        password,
        clean,
        reconnectPeriod: 0,
        protocolVersion: 4,
      });
    const event = (refId: string) =>
      eventBytes(alice, {
        messageId: newDeviceMessageId(),
        correlationId: '',
        refId,
        status: 'success',
        timestamp: Math.floor(Date.now() / 1000),
      });

    test('a vehicle gets its trigger and reports; the adapter has what it needs', async () => {
      const client = await connect(alice.systemId, 'a');
      const received = new Promise<string>((resolve) =>
        client.once('message', (topic) => resolve(topic)),
      );
      await client.subscribeAsync(`c2d/${alice.systemId}`, { qos: 1 });
      await t.trigger('deployed', [alice.vin]);
      expect(await received).toBe(`c2d/${alice.systemId}`);
      await client.publishAsync(`d2c/${alice.systemId}`, event('deployed'), { qos: 1 });
      await eventually(
        async () => (await t.call('GET', '/v1.0/ota/operations/deployed')).body.states,
        (states) => states.success === 1,
      );
      await client.endAsync();
    });

    test('no vehicle can publish as another, read messages of another, or connect without its password', async () => {
      const before = await t.metric('otaops_messages_received_total');
      const client = await connect(bob.systemId, 'b');
      const heard: string[] = [];
      client.on('message', (topic) => heard.push(topic));
      for (const topic of [`c2d/${alice.systemId}`, 'c2d/+', 'd2c/+', '#']) {
        await client.subscribeAsync(topic, { qos: 1 }).catch(() => undefined);
      }
      await client.publishAsync(`d2c/${alice.systemId}`, event('deployed'), { qos: 1 });
      await t.trigger('quiet', [alice.vin]);
      // Once a message of its own has arrived, so has everything sent before it. Mosquitto has closed the first
      // connection, for its attempts.
      const again = await connect(bob.systemId, 'b');
      await again.publishAsync(`d2c/${bob.systemId}`, 'mine', { qos: 1 });
      await eventually(
        () => t.metric('otaops_messages_received_total'),
        (received) => received > before,
      );
      expect(await t.metric('otaops_messages_received_total')).toBe(before + 1);
      expect(heard).toEqual([]);
      await client.endAsync(true);
      await again.endAsync();
      await expect(connect(alice.systemId, 'b')).rejects.toThrow(/[Nn]ot authorized/);
      await expect(connect('nobody', 'x')).rejects.toThrow(/[Nn]ot authorized/);
    });

    test('the adapter’s account is refused on the vehicles’ port, and a vehicle’s on the adapters’ port', async () => {
      const adapters = `mqtt://127.0.0.1:${adapterPort}`;
      await (await connect('otaops-adapter', 'pw', adapters)).endAsync();
      await expect(connect('otaops-adapter', 'pw')).rejects.toThrow(/[Nn]ot authorized/);
      await (await connect(alice.systemId, 'a')).endAsync();
      await expect(connect(alice.systemId, 'a', adapters)).rejects.toThrow(/[Nn]ot authorized/);
    });

    test('a vehicle that is offline while the broker restarts gets its message despite the rules of each port', async () => {
      const topic = `c2d/${bob.systemId}`;
      const first = await connect(bob.systemId, 'b', broker.url, false);
      await first.subscribeAsync(topic, { qos: 1 });
      await first.endAsync();
      await t.trigger('offline', [bob.vin]);
      await eventually(
        async () => (await t.call('GET', '/v1.0/ota/operations/offline')).body.states,
        (states) => states.sent === 1,
      );
      await broker.end('SIGTERM');
      await broker.restart();
      const again = mqtt.connect(broker.url, {
        ...{ clientId: 'whatever it says', username: bob.systemId, password: 'b' },
        ...{ clean: false, reconnectPeriod: 100, protocolVersion: 4 },
      });
      const heard = await new Promise<string>((resolve) => {
        again.once('message', resolve);
      });
      expect(heard).toBe(topic);
      await again.endAsync();
    });
  },
);
