/** The hash chain, verified by independent code. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { chained, RECORDS } from './records.js';

test('a hash chain is verified in a few lines of Python', () => {
  const python = `
import hashlib, json, sys
previous = '0' * 64
def canonical(v):
    if isinstance(v, str): return '"' + v.replace('\\\\', '\\\\\\\\').replace('"', '\\\\"') + '"'
    if isinstance(v, dict): return '{' + ','.join(canonical(k) + ':' + canonical(v[k]) for k in sorted(v)) + '}'
    if isinstance(v, list): return '[' + ','.join(map(canonical, v)) + ']'
    return json.dumps(v)
for line in sys.stdin.buffer.read().decode().split('\\n')[:-1]:
    record = json.loads(line)
    assert json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(',', ':')) == line, line
    given = record.pop('hash')
    previous = hashlib.sha256((previous + '\\n' + canonical(record)).encode()).hexdigest()
    assert given == previous
print(previous)`;
  const lines = chained(RECORDS);
  const { stdout, stderr } = spawnSync('python3', ['-c', python], {
    input: lines.map((line) => `${line}\n`).join(''),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(lines[2]).toContain(stdout.trim());
});
