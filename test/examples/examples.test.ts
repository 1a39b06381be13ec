/** The examples work as described: integrators and a vehicle in several languages, against `otaops serve`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { pythonWithPaho } from '../support/python.js';
import { ifInstalled, temporaryDirectory } from '../support/servers.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const python = await ifInstalled(() => Promise.resolve(pythonWithPaho()));

const VEHICLES = { '5YJSA1E40FF345678': 'c2c-sys-py-1', '5YJSA1E40FF345679': 'c2c-sys-py-2' };

describe.runIf(hasTurn(1) && python !== undefined)('the examples', () => {
  const dataDir = temporaryDirectory('examples');
  let server: OtaopsProcess;
  let adapter: string;
  let broker: string;
  let token: string;
  /** Credentials by VIN, which the adapter returns only once. */
  const credentials: Record<string, string> = {};

  beforeAll(async () => {
    server = otaops(['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir]);
    [, adapter = ''] = await server.says(/HTTP interface\s+(http:\S+)/);
    [, broker = ''] = await server.says(/mqtt:\/\/(127\.0\.0\.1:\d+)/);
    token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    await server.ended;
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = (program: string, ...args: string[]) => {
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', OTAOPS_TOKEN: token },
    });
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      child.emit('heard');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
    return {
      ended,
      async says(pattern: RegExp) {
        for (;;) {
          const match = pattern.exec(output);
          if (match) return match;
          await Promise.race([once(child, 'heard'), ended]);
          if (child.exitCode !== null && !pattern.test(output)) throw new Error(output);
        }
      },
    };
  };

  test('a Python integrator follows two Python vehicles to their success', async () => {
    const integrator = start(
      python ?? '',
      join(EXAMPLES, 'integrator.py'),
      adapter,
      'examples 1',
      ...Object.entries(VEHICLES).map(([vin, systemId]) => `${vin}=${systemId}`),
    );
    const vehicles = await Promise.all(
      Object.entries(VEHICLES).map(async ([vin, systemId]) => {
        const [, credential = ''] = await integrator.says(new RegExp(`credential ${vin} (\\S+)`));
        credentials[vin] = credential;
        return start(python ?? '', join(EXAMPLES, 'vehicle.py'), broker, systemId, credential, vin);
      }),
    );
    for (const { ended } of vehicles) {
      const { code, output } = await ended;
      expect(output).toContain('success');
      expect(code).toBe(0);
    }
    const { code, output } = await integrator.ended;
    expect(code).toBe(0);
    expect(output).toContain('accepted 2 rejected 0');
    for (const vin of Object.keys(VEHICLES)) {
      const states = [...output.matchAll(new RegExp(`^${vin} (\\S+)$`, 'gm'))].map(([, s]) => s);
      expect(states).toEqual([
        'received',
        'consent_accepted',
        'downloading',
        'downloaded',
        'md5_check_success',
        'pki_check_success',
        'reboot',
        'success',
      ]);
    }
  });

  test('the TypeScript integrator follows the same events', async () => {
    const source = readFileSync(join(EXAMPLES, 'integrator.ts'), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const script = join(dataDir, 'integrator.mjs');
    writeFileSync(script, outputText);
    const vins = Object.keys(VEHICLES);
    const integrator = start(process.execPath, script, adapter, 'examples 2', ...vins);
    await integrator.says(/accepted 2/);
    const vehicles = Object.entries(VEHICLES).map(([vin, systemId]) =>
      start(
        python ?? '',
        join(EXAMPLES, 'vehicle.py'),
        broker,
        systemId,
        credentials[vin] ?? '',
        vin,
      ),
    );
    await Promise.all(vehicles.map(({ ended }) => ended));
    const { code, output } = await integrator.ended;
    expect(code).toBe(0);
    for (const vin of vins) expect(output).toContain(`${vin} success`);

    // A second run adds nothing and prints the same: the call is idempotent, and the events are kept.
    const again = await start(process.execPath, script, adapter, 'examples 2', ...vins).ended;
    expect(again.output).toBe(output.replace('accepted 2', 'accepted 0'));
    expect(again.code).toBe(0);
  });
});
