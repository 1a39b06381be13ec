/** An update script for one ECU, with its artifact, at a CarOTA Server. */
import { expect } from 'vitest';
import { type httpClient } from '../../support/adapter.js';

export async function publishScript(
  carota: ReturnType<typeof httpClient>,
  update: { readonly scriptRefId: string; readonly model: string; readonly software: string },
): Promise<void> {
  const { body: artifact } = await carota.call('POST', '/v1.0/artifacts?name=software', {
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(update.software),
  });
  const { sha256, md5, size } = artifact;
  const ecu = { ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } };
  const { scriptRefId, model } = update;
  const published = await carota.call('POST', '/v1.0/update-scripts', {
    body: { version: 'v1', 'script-ref-id': scriptRefId, model, ecus: [ecu] },
  });
  expect(published.status).toBe(201);
}
