/** What the services' log contains of an error, and what it leaves out. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LOG = JSON.stringify(new URL('../../dist/cli/log.js', import.meta.url));

/** The only line that a process with this code writes to its log. */
function logged(code: string): Record<string, any> {
  const program = `import { serviceLog } from ${LOG}; const log = serviceLog('info'); ${code}`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  return JSON.parse(stderr);
}

test('an error is logged with message, code and causes, without properties added by a library', () => {
  const line = logged(`
    const cause = Object.assign(new Error('the cause'), { code: '57P01' });
    const client = { host: 'db', connectionParameters: { password: 'geheim' } };
    log.error({ err: Object.assign(new Error('lost', { cause }), { code: 'ECONNRESET', client }) }, 'm');
  `);
  expect(line.err).toEqual({
    type: 'Error',
    message: 'lost: the cause',
    code: 'ECONNRESET',
    stack: expect.stringContaining('caused by: Error: the cause'),
  });
  expect(JSON.stringify(line)).not.toContain('geheim');
});

test('secrets among the fields of an entry are masked; an err that is not an error is kept', () => {
  const line = logged(
    `log.info({ token: 'geheim', to: { password: 'geheim' }, err: 'text' }, 'm');`,
  );
  expect(line).toMatchObject({ token: '[secret]', to: { password: '[secret]' }, err: 'text' });
});

test('a warning from Node.js becomes an entry', () => {
  const line = logged(`process.emitWarning('eleven listeners', 'MaxListenersExceededWarning');`);
  expect(line).toMatchObject({ level: 'warn', err: { message: 'eleven listeners' } });
});
