/** The startup settings in the audit log: every limit, and no secret. Both are taken from the settings of the commands. */
import { Command, type Option } from 'commander';
import { expect, test } from 'vitest';
import { DEFAULT_UPLOAD_QUOTA } from '../../../src/carota/artifacts/upload-quota.js';
import { carotaCommand } from '../../../src/cli/commands/carota.js';
import { serveCommand } from '../../../src/cli/commands/serve.js';
import { withoutSecrets } from '../../../src/service/audit/without-secrets.js';
import { DEFAULT_HTTP_LIMITS } from '../../../src/service/limits/index.js';

const program = new Command();
serveCommand(program);
carotaCommand(program);
const options = program.commands.flatMap((command) => command.options);
/** A setting that is declared secret can come from a file. */
const isSecret = ({ long }: Option) => options.some((other) => other.long === `${long}-file`);
const secrets = options.filter(isSecret);
const names = (of: readonly Option[]) => [...new Set(of.map((one) => one.attributeName()))].sort();

const SECRET = 'hunter2';
const URLS = [`x://user:${SECRET}@host:1/path`, `x://host/path?password=${SECRET}#${SECRET}`];

test('the settings that are declared secret are found', () => {
  expect(names(secrets)).toEqual([
    'adapterControlToken',
    'adapterToken',
    'auditOtlpToken',
    'callbackSecret',
    'databaseUrl',
    'mqttUrl',
    'oidcClientSecret',
    'secretKey',
    'smtpUrl',
  ]);
});

test.each(names(secrets))('%s is secret, alone, in a list, and within another setting', (name) => {
  const values = name.endsWith('Url') ? URLS : [SECRET, [SECRET], { value: SECRET }];
  for (const value of values) {
    for (const settings of [{ [name]: value }, { [`${name}s`]: [value] }, { [name]: [value] }]) {
      const shown = JSON.stringify(withoutSecrets({ ...settings, of: settings }));
      expect(shown).not.toContain(SECRET);
      expect(shown).toContain(name);
    }
  }
});

const defaults = options.flatMap((one): [string, unknown][] =>
  one.defaultValue === undefined ? [] : [[one.attributeName(), one.defaultValue]],
);

test.each(Object.entries(Object.fromEntries(defaults)))('%s is shown: %j', (name, value) => {
  expect(withoutSecrets({ [name]: value })).toEqual({ [name]: value });
});

test('the limits made of them are shown too', () => {
  const limits = { httpLimits: DEFAULT_HTTP_LIMITS, uploadQuota: DEFAULT_UPLOAD_QUOTA };
  expect(withoutSecrets(limits)).toEqual(limits);
});
