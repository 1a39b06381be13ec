/**
 * An integrator's client in TypeScript that uses only `fetch`:
 *
 *   OTAOPS_TOKEN=... node integrator.ts http://127.0.0.1:8080 "schedule 0909" 5YJSA1E40FF345678
 *
 * (Node.js 22.18 or newer runs TypeScript directly. The vehicles must be registered.)
 */
const [adapter = '', refId = '', ...vins] = process.argv.slice(2);

interface OtaEvent {
  vin: string;
  'status-name': string;
}

/** Returns the parsed JSON answer. An error is a problem document (RFC 9457) that names the cause. */
async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(adapter + path, {
    method,
    headers: {
      'authorization-token': process.env.OTAOPS_TOKEN ?? '',
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

// The call is idempotent, so a caller may repeat it until it is answered.
const { accepted } = await call<{ accepted: number }>('POST', '/v1.0/ota/trigger', {
  time: Date.now(),
  version: 'v1',
  body: { model: 'vehicle model a', 'ref-id': refId, 'script-ref-id': 'hu only 001', vins },
});
console.log('accepted', accepted);

// Every event once, in commit order. A real client stores the cursor where it survives a restart.
const final = ['success', 'failure', 'cancel', 'rollback_success', 'rollback_fail'];
const finished = new Set<string>();
for (let cursor = '0'; finished.size < accepted;) {
  const query = new URLSearchParams({ after: cursor, wait: '30', 'ref-id': refId });
  const page = await call<{ events: OtaEvent[]; cursor: string }>(
    'GET',
    `/v1.0/ota/events?${query.toString()}`,
  );
  for (const { vin, 'status-name': state } of page.events) {
    console.log(vin, state);
    if (final.includes(state)) finished.add(vin);
  }
  cursor = page.cursor;
}

export {};
