/** The contract, update scripts and the vehicle agent on their own, as another package imports them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

async function evaluate(source: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source]);
  return stdout.trim();
}

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
