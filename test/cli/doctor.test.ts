/** `otaops doctor` checks what answers: an adapter (see commands.test.ts), the CarOTA Server, or nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestCarota, type TestCarota } from '../carota/support/test-carota.js';
import { runCommand } from '../support/run-command.js';

let carota: TestCarota;
beforeAll(async () => {
  carota = await startTestCarota('http://127.0.0.1:1');
});
afterAll(() => carota.stop());

const doctor = (url: string, token: string) =>
  runCommand(['doctor', '--url', url, '--token', token]);

test('a CarOTA Server is checked neither for a broker nor for call-backs', async () => {
  const { code, output } = await doctor(carota.carota.httpUrl, carota.token);
  expect(output).toMatch(/^ok {3}CarOTA Server: database up/);
  expect(output).toMatch(/ok {3}token: is accepted/);
  expect(output).not.toMatch(/BAD/);
  expect(code).toBe(0);
});

test('a rejected token and a URL where nothing answers are reported', async () => {
  const refused = await doctor(carota.carota.httpUrl, 'otaops_wrong');
  expect(refused.output).toMatch(/BAD {2}token: UNAUTHORIZED/);
  expect(refused.code).toBe(1);
  const nobody = await doctor('http://127.0.0.1:1', 'otaops_x');
  expect(nobody.output).toMatch(/BAD {2}adapter: \S/);
  expect(nobody.code).toBe(1);
});
