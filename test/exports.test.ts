/** The contract, update scripts and the vehicle agent on their own, as another package imports them. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { startTestAdapter } from './support/adapter.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const run = promisify(execFile);

async function evaluate(source: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  return stdout.trim();
}

const { exports } = JSON.parse(read('package.json')) as {
  exports: Record<string, string | { readonly default: string }>;
};
/** The source of each module, by its name. */
const modules = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string'
    ? []
    : [
        [
          name.replace('.', 'otaops'),
          target.default.replace('./dist/', 'src/').replace(/js$/, 'ts'),
        ] as const,
      ],
);

test('the API reference has each module', () => {
  const { entryPoints } = JSON.parse(read('typedoc.json')) as { entryPoints: string[] };
  expect(modules).toHaveLength(5);
  expect(entryPoints).toEqual(modules.map(([, source]) => source));
});

/** `npm run types` compiles it. */
const example = read('examples/typed-client.ts').replace(/^\/\*\*.*?\*\/\n/s, '');

test('the README shows the example of the client', () => {
  expect(example).toContain('new Client(');
  expect(read('README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
});

test('the example of the client triggers an update, lists its vehicles, and names an error', async () => {
  const t = await startTestAdapter();
  try {
    await t.register({ vin: '5YJSA1E40FF345678', systemId: 'c2c-sys-readme-1' });
    const { outputText } = ts.transpileModule(example, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    const source = outputText.replace('https://ota.example', t.adapter.httpUrl);
    const output = await evaluate(source, { OTAOPS_TOKEN: t.token });
    expect(output).toMatch(
      /^accepted 1\n5YJSA1E40FF345678 (?:pending|sent)\n404 OPERATION_NOT_FOUND$/,
    );
  } finally {
    await t.stop();
  }
});

test('otaops/contract writes and reads messages', async () => {
  const output = await evaluate(`
    import { decodeMessage, encodeMessage, EVENT_STATUS, otaEvent } from 'otaops/contract';
    const bytes = encodeMessage(otaEvent(
      { messageId: 'msg-dev-1', correlationId: '', systemId: 's', vin: '5YJSA1E40FF345678',
        deviceId: 'd', ecuType: 'TCU', time: 1620891851 },
      { status: EVENT_STATUS.success, meta: [], timestamp: 1620891851, 'ref-id': 'r' }));
    const { ok, value } = decodeMessage(bytes);
    console.log(ok, value.body.status, decodeMessage(Buffer.from('{')).ok);`);
  expect(output).toBe('true 6 false');
});

test('otaops/contract has the client, and each interface its routes', async () => {
  const output = await evaluate(`
    import { Client } from 'otaops/contract';
    import { operationApi } from 'otaops/contract/adapter-api';
    import { scheduleApi } from 'otaops/contract/carota-api';
    const client = new Client({ url: 'http://127.0.0.1:9' });
    const { name } = await client.call(operationApi.listOperations, {}).catch((error) => error);
    console.log(name, scheduleApi.listSchedules.path);`);
  expect(output).toBe('NoAnswer /v1.0/schedules');
});

test('otaops/vehicle has the agent', async () => {
  const output = await evaluate(`
    import { MemoryOutbox, MqttLink, VehicleAgent } from 'otaops/vehicle';
    console.log(typeof VehicleAgent, typeof MqttLink, new MemoryOutbox().size);`);
  expect(output).toBe('function function 0');
});

test('otaops/update-script says what is wrong with a script', async () => {
  const output = await evaluate(`
    import { compareVersions, validateScript } from 'otaops/update-script';
    console.log(validateScript({ version: 'v1' })[0].message, compareVersions('1.9', '1.10'));`);
  expect(output).toBe('is missing -1');
});

test('nothing else can be imported', async () => {
  await expect(evaluate(`import 'otaops/dist/adapter/index.js'`)).rejects.toThrow(
    /ERR_PACKAGE_PATH_NOT_EXPORTED/,
  );
});
