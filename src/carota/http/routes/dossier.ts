/** `/v1.0/schedules/{ref-id}/dossier`: the record of a schedule that a regulator reads. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { DOSSIER_TYPE, dossierApi, PDF_TYPE } from '../../../contract/carota-api/index.js';
import { Problem, serve, type Server } from '../../../service/http/index.js';
import { TimeStampUnavailable } from '../../../service/time-stamp/index.js';
import { writeDossier, writePdf } from '../../dossier/index.js';
import { type CarotaContext } from '../context.js';
import { scheduleOf } from './schedule-bodies.js';

export function dossierRoute(server: Server, context: CarotaContext): void {
  serve(server, dossierApi.getDossier, async ({ params, query, reply }) => {
    const refId = params['ref-id'];
    const { format, pseudonymous } = query;
    // Before anything is written.
    await scheduleOf(context, refId);
    const content = await server.requestLimits
      .during('dossier', reply, () => spooled(context, refId, query))
      .catch((error: unknown) => {
        if (!(error instanceof TimeStampUnavailable)) throw error;
        throw new Problem('TIMESTAMP_UNAVAILABLE', error.message);
      });
    // A schedule's name may contain a VIN.
    const name = pseudonymous ? 'dossier' : encodeURIComponent(`dossier ${refId}`);
    return reply
      .type(format === 'pdf' ? PDF_TYPE : DOSSIER_TYPE)
      .header('content-disposition', `attachment; filename*=UTF-8''${name}.${format}`)
      .header('cache-control', 'no-store')
      .send(content);
  });
}

/**
 * The dossier's file, deleted once it has been read. The next start removes the remains of a crash.
 *
 * @throws Problem
 */
async function spooled(
  { database, reading, dossiers, clock, incoming }: CarotaContext,
  refId: string,
  { format, pseudonymous }: { readonly format: 'jsonl' | 'pdf'; readonly pseudonymous: boolean },
): Promise<Readable> {
  await mkdir(incoming.path, { recursive: true, mode: 0o700 });
  const file = incoming.newFile(`dossier-${randomUUID()}`);
  const pdf = `${file}.pdf`;
  try {
    const writer = { database, reading, clock, ...dossiers };
    if (!(await writeDossier(writer, refId, pseudonymous, file))) {
      throw new Problem('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);
    }
    if (format === 'pdf') await writePdf(file, pdf);
    const opened = await open(format === 'pdf' ? pdf : file, 'r');
    return opened.createReadStream();
  } finally {
    await rm(file, { force: true });
    await rm(pdf, { force: true });
  }
}
