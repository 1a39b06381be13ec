/** Types that a third-party generator derives from the OpenAPI documents: correct calls compile, wrong ones do not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adapterDocument } from '../../src/contract/adapter-api/index.js';
import { carotaDocument } from '../../src/contract/carota-api/index.js';
import { isFullDepth } from '../support/depth.js';

/** Inside the project, so that packages resolve. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(import.meta.dirname, 'generated-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

async function generateTypes(): Promise<void> {
  for (const [name, document] of [
    ['adapter.ts', adapterDocument('1.0.0')],
    ['carota.ts', carotaDocument('1.0.0')],
  ] as const) {
    write(name, astToString(await openapiTS(document as never)));
  }
}

/** Compiler errors of programs that use the generated types, by file. */
function compile(programs: Readonly<Record<string, string>>): Record<string, string[]> {
  const files = Object.entries(programs).map(([name, text]) => write(`${name}.ts`, text));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => ({
    file: file?.fileName ?? '',
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
  return Object.fromEntries(
    Object.keys(programs).map((name) => [
      name,
      faults.filter(({ file }) => file === join(folder, `${name}.ts`)).map((one) => one.message),
    ]),
  );
}

const ADAPTER = `
import createClient from 'openapi-fetch';
import type { components, paths } from './adapter.js';
const client = createClient<paths>({ baseUrl: 'http://127.0.0.1:8080' });
const path = { 'ref-id': 'schedule 0909' };
`;
const CAROTA = `
import createClient from 'openapi-fetch';
import type { components, paths } from './carota.js';
const client = createClient<paths>({ baseUrl: 'http://127.0.0.1:8081' });
`;

const RIGHT = {
  trigger: `${ADAPTER}
    const { data, error } = await client.POST('/v1.0/ota/trigger', {
      body: {
        time: 1625660275379,
        version: 'v1',
        body: { model: 'a', 'ref-id': 'b', 'script-ref-id': 'c', vins: ['5YJSA1E40FF345678'] },
      },
    });
    export const accepted: number | undefined = data?.accepted;
    const code: components['schemas']['ErrorCode'] | undefined = error?.errorCode;
    export const isConflict = code === 'REF_ID_CONFLICT';`,
  states: `${ADAPTER}
    const { data } = await client.GET('/v1.0/ota/operations/{ref-id}/vehicles', {
      params: { path, query: { state: 'success', limit: 10 } },
    });
    export const reasons: (string | null)[] | undefined = data?.items.map(({ reason }) => reason);`,
  optional: `${ADAPTER}
    await client.POST('/v1.0/ota/operations/{ref-id}/pause', { params: { path } });
    await client.GET('/v1.0/ota/operations');`,
  timeline: `${ADAPTER}
    const params = { path: { ...path, vin: '5YJSA1E40FF345678' } };
    const { data } = await client.GET('/v1.0/ota/operations/{ref-id}/vehicles/{vin}/timeline', { params });
    export const shown = data?.items.map((entry) => entry.kind === 'event' ? entry['status-name'] : entry.at);`,
  audit: `${ADAPTER}
    const { data } = await client.GET('/v1.0/audit', {});
    export const conflicts = data?.items.filter(({ errorCode }) => errorCode === 'REF_ID_CONFLICT');`,
  session: `${CAROTA}
    const { data } = await client.GET('/v1.0/session', {});
    export const plans = data?.role === 'planner' && data.permissions.includes('plan');`,
  schedules: `${CAROTA}
    const { data } = await client.GET('/v1.0/schedules', {});
    const [first] = data?.items ?? [];
    export const status: components['schemas']['Schedule']['status'] | undefined = first?.status;`,
} as const;

const WRONG = {
  path: `${ADAPTER} await client.GET('/v1.0/ota/operation');`,
  method: `${ADAPTER} await client.PUT('/v1.0/ota/operations', {});`,
  parameter: `${ADAPTER} await client.GET('/v1.0/ota/operations/{ref-id}', { params: { path: { refId: 'a' } } });`,
  body: `${ADAPTER} await client.POST('/v1.0/ota/trigger', { body: { time: 1, version: 'v1' } });`,
  missingBody: `${ADAPTER} await client.POST('/v1.0/ota/trigger', {});`,
  value: `${ADAPTER} await client.PATCH('/v1.0/ota/operations/{ref-id}', { params: { path }, body: { priority: 'high' } });`,
  state: `${ADAPTER}
    const { data } = await client.GET('/v1.0/ota/operations/{ref-id}', { params: { path } });
    export const isDone = data?.status === 'done';`,
  audit: `${ADAPTER}
    const { data } = await client.GET('/v1.0/audit', {});
    export const conflicts = data?.items.filter(({ errorCode }) => errorCode === 'CONFLICTING');`,
  role: `${ADAPTER}
    const { data } = await client.GET('/v1.0/session', {});
    export const plans = data?.role === 'planner';`,
  reason: `${ADAPTER}
    const { data } = await client.GET('/v1.0/ota/operations/{ref-id}/summary', { params: { path } });
    export const failed = data?.failureReasons.filter(({ state }) => state === 'downloading');`,
  code: `${ADAPTER} export const code: components['schemas']['ErrorCode'] = 'NO_SUCH_CODE';`,
} as const;

test.runIf(isFullDepth)('correct calls compile, wrong ones do not', async () => {
  await generateTypes();
  const wrong = Object.entries(WRONG).map(([name, text]) => [`wrong-${name}`, text] as const);
  const faults = compile({ ...RIGHT, ...Object.fromEntries(wrong) });
  for (const name of Object.keys(RIGHT)) expect(faults[name], name).toEqual([]);
  for (const [name] of wrong) expect(faults[name], name).not.toEqual([]);
});
