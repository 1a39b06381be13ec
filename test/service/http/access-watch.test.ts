/** Access is rechecked during a request until its client disconnects, and no longer. */
import { EventEmitter } from 'node:events';
import { type ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type Queryable } from '../../../src/service/database/index.js';
import { AccessWatch } from '../../../src/service/http/access-watch.js';
import { eventually } from '../../support/adapter.js';

const responseOf = (destroyed: boolean) =>
  Object.assign(new EventEmitter(), {
    destroyed,
    destroy: () => undefined,
  }) as unknown as ServerResponse;

test('access is not rechecked for a client that disconnected during the token lookup', async () => {
  const asked: unknown[][] = [];
  const database: Queryable = {
    query: (_text: string, parameters: readonly unknown[] = []) => {
      asked.push([...parameters]);
      return Promise.resolve([]);
    },
    script: () => Promise.resolve(),
  };
  const watch = new AccessWatch(database, () => 0);
  watch.add(responseOf(true), { tokenId: 'gone', scopes: null });
  watch.add(responseOf(false), { tokenId: 'here', scopes: null });
  await eventually(
    () => Promise.resolve(asked.length),
    (times) => times > 1,
  );
  watch.stop();
  expect(JSON.stringify(asked)).toContain('here');
  expect(JSON.stringify(asked)).not.toContain('gone');
});
