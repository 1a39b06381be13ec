/** `/v1.0/vehicles/{vin}/ecus`: the inventory of ECUs, with their reports and orders. */
import {
  type Ecu,
  ecuApi,
  type EcuRegistration,
  type StoredManifest,
  type VehicleEcus,
} from '../../../contract/carota-api/index.js';
import { type FieldError } from '../../../contract/index.js';
import {
  actorOf,
  invalid,
  linesIn,
  Problem,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import {
  dueByEcu,
  ecuStanding,
  findLastManifest,
  findManifest,
  type ImageRecord,
  type InventoryEcu,
  type OrderedRecord,
  type StoredFiles,
  type VehicleStanding,
} from '../../director/index.js';
import {
  EcuConflict,
  ecuErrors,
  importEcus,
  keyErrors,
  NoSuchEcu,
  replaceEcu,
  storeEcus,
  textErrors,
} from '../../ecus/index.js';
import { type CarotaContext } from '../context.js';

export function ecuRoutes(server: Server, context: CarotaContext): void {
  const { database, clock } = context;

  serve(server, ecuApi.listEcus, ({ params }) => ecusOf(context, params.vin.toUpperCase()));

  serve(server, ecuApi.getManifest, async ({ params }) => {
    const vin = params.vin.toUpperCase();
    await vehicleOf(context, vin);
    const found = await findManifest(database, vin);
    if (!found)
      throw new Problem('MANIFEST_NOT_FOUND', `no manifest of ${vin} has been accepted yet`);
    // It was checked before it was stored.
    const manifest = JSON.parse(found.manifest.toString()) as StoredManifest['manifest'];
    return { acceptedAt: found.received_at, manifest };
  });

  serve(server, ecuApi.putEcus, async ({ request, params, body }) => {
    const vin = params.vin.toUpperCase();
    const { ecus, reason = '' } = body;
    refuseIf(ecuErrors(ecus));
    const by = actorOf(request, reason);
    await change(() => database.transaction((tx) => storeEcus(tx, [{ vin, ecus, by }], clock())));
    return ecusOf(context, vin);
  });

  serve(server, ecuApi.replaceEcu, async ({ request, params, body }) => {
    const vin = params.vin.toUpperCase();
    const { reason = '', ...ecu } = body;
    refuseIf([...keyErrors(ecu.publicKey, '/publicKey'), ...textErrors(ecu, '')]);
    const by = actorOf(request, reason);
    await vehicleOf(context, vin);
    await change(() =>
      database.transaction((tx) => replaceEcu(tx, vin, params.serial, ecu, by, clock())),
    );
    return ecusOf(context, vin);
  });

  serve(server, ecuApi.importEcus, ({ request }) => {
    const { input, format } = linesIn(request);
    return importEcus(database, input, format, actorOf(request, 'import'), clock);
  });
}

function refuseIf(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(errors);
}

async function change(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EcuConflict) throw new Problem('ECU_CONFLICT', error.message);
    if (!(error instanceof NoSuchEcu)) throw error;
    throw new Problem(
      error.what === 'vehicle' ? 'VEHICLE_NOT_FOUND' : 'ECU_NOT_FOUND',
      error.message,
    );
  }
}

async function vehicleOf({ director }: CarotaContext, vin: string): Promise<VehicleStanding> {
  const vehicle = await director.standingOf(vin);
  if (!vehicle) throw new Problem('VEHICLE_NOT_FOUND', `vehicle ${vin} is not known`);
  return vehicle;
}

async function ecusOf(context: CarotaContext, vin: string): Promise<Served<VehicleEcus>> {
  const vehicle = await vehicleOf(context, vin);
  const due = await context.director.metadata.due(vehicle);
  const { manifestAt, refused } = await findLastManifest(context.database, vin);
  const dueImages = dueByEcu(due);
  const ordered = new Map(Object.entries(vehicle.files?.ordered ?? {}));
  return {
    ecus: [...vehicle.ecus.values()].map((ecu) =>
      ecuBody(ecu, vehicle, dueImages.get(ecu.ecuId), ordered.get(ecu.ecuId)),
    ),
    manifestAt,
    refused,
    order: due
      ? {
          'ref-id': due.schedule.refId,
          'script-ref-id': due.schedule.scriptRefId,
          blocked: due.blocked ?? null,
          later: due.later.map(({ refId }) => refId),
        }
      : null,
    metadata: vehicle.files ? metadataBody(vehicle.files) : null,
  };
}

const metadataBody = ({ timestamp, snapshot, targets }: StoredFiles) => ({
  timestamp: fileBody(timestamp),
  snapshot: fileBody(snapshot),
  targets: fileBody(targets),
});

const fileBody = ({ version, expires }: StoredFiles['targets']) => ({
  version,
  expires: new Date(expires),
});

function ecuBody(
  ecu: InventoryEcu,
  { reports }: VehicleStanding,
  due: OrderedRecord | undefined,
  last: OrderedRecord | undefined,
): Served<Ecu> {
  const report = reports.get(ecu.ecuId);
  const ordered = (due ?? last)?.image;
  return {
    serial: ecu.ecuId,
    name: ecu.name,
    hardwareId: ecu.hardwareId,
    publicKey: ecu.listedKey as EcuRegistration['publicKey'],
    keyId: ecu.key.id,
    isPrimary: ecu.isPrimary,
    registeredAt: ecu.registeredAt,
    reportedAt: report ? new Date(report.time) : null,
    installed: imageBody(report?.installed),
    ordered: imageBody(ordered),
    isDue: due !== undefined,
    standing: ecuStanding(report?.installed, ordered, due !== undefined),
  };
}

const imageBody = (image: ImageRecord | null | undefined) =>
  image ? { ...image, hashes: { ...image.hashes } } : null;
