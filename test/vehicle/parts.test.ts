/** Components of a vehicle: the user's page, the terminal, commands for real ECUs. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CommandInstaller,
  CommandReboot,
  FileConditions,
  IviPage,
  runCommand,
  TerminalConsent,
} from '../../src/vehicle/index.js';
import { temporaryDirectory } from '../support/servers.js';

const question = { text: 'Now <b>?', scriptRefId: 'hu only 001', bytes: 10, until: 0 };

describe('the vehicle’s page', () => {
  let page: IviPage;
  let url: string;
  const pressed: string[] = [];
  beforeAll(async () => {
    page = new IviPage();
    const button = (name: string) => () => pressed.push(name) > 0;
    page.control({
      current: {
        trigger: { messageId: 'm', refId: 'r', scriptRefId: 's' },
        phase: 'downloading',
        facts: {},
      },
      pause: button('pause'),
      resume: () => false,
      cancel: button('cancel'),
    });
    url = await page.listen('127.0.0.1', 0);
  });
  afterAll(() => page.close());

  const press = async (action: string, token?: string) => {
    const body = new URLSearchParams({ action, token: token ?? (await formToken()) });
    return (await fetch(url, { method: 'POST', body, redirect: 'manual' })).status;
  };
  const formToken = async () =>
    / name="token" value="(\w+)"/.exec(await (await fetch(url)).text())?.[1] ?? '';

  /** Requests that a browser sends for another site's page, or to a foreign name that resolves to this host. */
  const statusOf = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body = '',
  ) => {
    const asked = request(url + path, { method, headers }).end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };

  test('rejects framing, foreign host names and foreign forms', async () => {
    const { headers } = await fetch(url);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const { host, port } = new URL(url);
    expect(await statusOf('GET', '/state', { host })).toBe(200);
    expect(await statusOf('GET', '/state', { host: `localhost:${port}` })).toBe(200);
    for (const path of ['/', '/state']) {
      expect(await statusOf('GET', path, { host: `rebound.example:${port}` })).toBe(403);
      expect(await statusOf('GET', path, { host: 'a b' })).toBe(403);
    }
    const form = new URLSearchParams({ action: 'cancel', token: await formToken() }).toString();
    for (const origin of ['http://evil.example', `http://localhost:${port}`, 'null']) {
      expect(await statusOf('POST', '/', { host, origin }, form)).toBe(403);
    }
    expect(pressed).toEqual([]);
    expect(await (await fetch(`${url}/state`)).text()).not.toContain('token');
  });

  test('shows a question and accepts the answer', async () => {
    const answer = page.ask(question, AbortSignal.timeout(5_000));
    const html = await (await fetch(url)).text();
    expect(html).toContain('Now &lt;b&gt;?');
    expect(html).toContain('value="accept"');
    expect(await press('accept')).toBe(303);
    expect(await answer).toBe(true);
    expect(await press('accept')).toBe(409);
    const second = page.ask(question, AbortSignal.timeout(5_000));
    expect(await press('refuse')).toBe(303);
    expect(await second).toBe(false);
  });

  test('withdraws a question', async () => {
    const taken = new AbortController();
    const answer = page.ask(question, taken.signal);
    taken.abort(new Error('too late'));
    await expect(answer).rejects.toThrow('too late');
    expect(
      ((await (await fetch(`${url}/state`)).json()) as { question: unknown }).question,
    ).toBeNull();
  });

  test('withdraws only its own question', async () => {
    const taken = new AbortController();
    const first = page.ask(question, taken.signal);
    const second = page.ask({ ...question, text: 'Later?' }, AbortSignal.timeout(5_000));
    taken.abort(new Error('replaced'));
    await expect(first).rejects.toThrow('replaced');
    expect(await (await fetch(url)).text()).toContain('Later?');
    expect(await press('accept')).toBe(303);
    expect(await second).toBe(true);
    await expect(page.ask(question, taken.signal)).rejects.toThrow('replaced');
  });

  test('has buttons for the user, which only its own form can submit', async () => {
    expect(await press('pause')).toBe(303);
    expect(await press('cancel')).toBe(303);
    expect(await press('resume')).toBe(409);
    expect(pressed).toEqual(['pause', 'cancel']);
    expect(await press('cancel', 'guessed')).toBe(403);
    expect(await press('explode')).toBe(400);
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(5_000) })).status).toBe(400);
  });
});

test.each([
  ['yes\n', true],
  ['what?\nN\n', false],
])('the terminal accepts %j', async (typed, accepted) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const answer = new TerminalConsent(input, output).ask(question, AbortSignal.timeout(5_000));
  for (const line of typed.split(/(?<=\n)/)) {
    input.write(line);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await answer).toBe(accepted);
});

describe('a command for real ECUs', () => {
  const directory = temporaryDirectory('command');
  const log = join(directory, 'log');
  const script = join(directory, 'ecu.sh');
  const update = {
    ecu: 'HU',
    version: '1.1.0',
    artifact: { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), size: 1 },
  };
  const never = new AbortController().signal;

  beforeAll(() => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      script,
      `#!/bin/sh
echo "$OTAOPS_ACTION $OTAOPS_ECU $OTAOPS_VERSION $OTAOPS_FILE" >> ${log}
case "$OTAOPS_ACTION" in
  version) [ "$OTAOPS_ECU" = HU ] && echo 1.0.0; exit 0;;
  check) echo "first line" >&2; echo "no answer on CAN" >&2; exit 3;;
  revert) exit 4;;
esac
`,
    );
    chmodSync(script, 0o755);
  });

  test('receives its task as arguments and answers by exit code and output', async () => {
    const installer = new CommandInstaller(script);
    expect(await installer.version('HU')).toBe('1.0.0');
    expect(await installer.version('XYZ')).toBeUndefined();
    await installer.install(update, relative(process.cwd(), '/some/file'), never);
    await installer.activate(update);
    await installer.confirm(update);
    await expect(installer.check('HU', never)).rejects.toThrow(/^no answer on CAN$/);
    await expect(installer.revert(update)).rejects.toThrow('the command ended with 4');
    expect((await runCommand(`cat ${log}`, {})).split('\n').slice(2, 5)).toEqual([
      'install HU 1.1.0 /some/file',
      'activate HU 1.1.0 ',
      'confirm HU 1.1.0 ',
    ]);
  });

  test('is killed with all its child processes at the timeout', async () => {
    const begun = Date.now();
    await expect(runCommand('sleep 60 & sleep 60', {}, AbortSignal.timeout(100))).rejects.toThrow(
      /timeout/,
    );
    expect(Date.now() - begun).toBeLessThan(30_000);
  });

  test('restarts the computer, and recognises a new boot by its id', async () => {
    const bootId = join(directory, 'boot-id');
    writeFileSync(bootId, 'first\n');
    const reboot = new CommandReboot(`echo second > ${bootId}`, bootId);
    expect(await reboot.bootId()).toBe('first');
    const ends = new AbortController();
    const restarting = reboot.restart(ends.signal);
    await expect.poll(() => reboot.bootId()).toBe('second');
    // The machine shuts down while the command runs.
    ends.abort();
    await expect(restarting).rejects.toThrow();
  });
});

test('values missing from a vehicle’s status file are unknown', async () => {
  const file = join(temporaryDirectory('status'), 'status.json');
  const conditions = new FileConditions(file, 'UTC');
  expect(await conditions.read()).toEqual({});
  writeFileSync(file, '{"battery": 80, "gear": 7, "ignition": "off"}');
  expect(await conditions.read()).toEqual({ battery: 80, gear: undefined, ignition: 'off' });
  writeFileSync(file, '{"battery"');
  expect(await conditions.read()).toEqual({});
  expect(await new FileConditions(undefined, 'UTC').read()).toEqual({});
});
