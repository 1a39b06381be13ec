/** `/uptane/director`: manifests, signed time and metadata for Primaries; and their reports, for people. */
import { type AttackReport, directorApi } from '../../../contract/carota-api/index.js';
import {
  ID_POSITION,
  invalid,
  listCursor,
  page,
  Problem,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import { ManifestRefusal } from '../../../uptane/manifest/manifest-refusal.js';
import { Refusal } from '../../../uptane/refusal.js';
import { type AttackRow, listAttacks, UnknownVehicle } from '../../director/index.js';
import { type CarotaContext } from '../context.js';
import { refuseOthers } from '../own-vehicle.js';

const ATTACKS = listCursor('attack-reports', ID_POSITION);

export function directorRoutes(server: Server, context: CarotaContext): void {
  const { director, reading } = context;

  serve(server, directorApi.sendManifest, async ({ request, params, body }) => {
    refuseOthers(request, params.vin);
    const bytes = body ?? Buffer.alloc(0);
    await answered(() => director.manifests.accept(params.vin.toUpperCase(), bytes));
  });

  serve(server, directorApi.askTime, async ({ request, params, body, reply }) => {
    refuseOthers(request, params.vin);
    const bytes = body ?? Buffer.alloc(0);
    const file = await answered(() => director.time(params.vin.toUpperCase(), bytes));
    return reply.type('application/json').send(Buffer.from(file));
  });

  serve(server, directorApi.getDirectorMetadata, async ({ request, params, reply }) => {
    refuseOthers(request, params.vin);
    const vin = params.vin.toUpperCase();
    const file = await answered(() => metadataFile(context, vin, params.file));
    if (!file) {
      const message = `there is no ${params.file} for vehicle ${vin} now`;
      throw new Problem('METADATA_NOT_FOUND', message);
    }
    return reply.type('application/json').header('cache-control', 'no-store').send(textOf(file));
  });

  serve(server, directorApi.getDirectorRepository, () =>
    director.status(new Date(context.clock())),
  );

  serve(server, directorApi.listAttackReports, async ({ query: { limit, cursor, vin } }) => {
    const before = Number(ATTACKS.read(cursor) ?? Number.MAX_SAFE_INTEGER);
    const rows = await listAttacks(reading, { before, limit, vin: vin?.toUpperCase() });
    return page(rows, limit, ATTACKS, ({ id }) => String(id), attackBody);
  });
}

/** Metadata are JSON in UTF-8. A text goes out in one piece with the headers; bytes would cost a second write. */
const textOf = ({ buffer, byteOffset, length }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, length).toString();

async function metadataFile(
  { director }: CarotaContext,
  vin: string,
  file: string,
): Promise<Uint8Array | undefined> {
  if (file === 'timestamp.json') return director.metadata.timestamp(vin);
  const [version = '', role] = file.split('.');
  switch (role) {
    case 'root':
      return director.root(Number(version));
    case 'snapshot':
      return director.metadata.snapshot(vin, Number(version));
    default:
      return director.metadata.targets(vin, Number(version));
  }
}

/** @throws Problem in place of the Director's errors */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnknownVehicle) throw new Problem('VEHICLE_NOT_FOUND', error.message);
    if (error instanceof ManifestRefusal) {
      const { code, message, ecuId } = error;
      const path = ecuId === undefined ? '' : `/signed/ecuReports/${pointer(ecuId)}`;
      const errors = [{ path, message: `${code}: ${message}` }];
      const about = ecuId === undefined ? '' : `ECU ${ecuId}: `;
      throw new Problem('MANIFEST_REFUSED', `${about}${message}`, { errors });
    }
    if (error instanceof Refusal) throw invalid([{ path: '', message: error.message }]);
    throw error;
  }
}

/** A member's name in a JSON Pointer (RFC 6901, section 4). */
const pointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

const attackBody = ({ first_at, last_at, ...report }: AttackRow): Served<AttackReport> => ({
  ...report,
  firstAt: first_at,
  lastAt: last_at,
});
