/**
 * The HTTP interface of the CarOTA Server.
 *
 * @module contract/carota-api
 */
import {
  auditApi,
  certificateApi,
  cookieOf,
  liveApiOf,
  serviceApi,
  sessionApiOf,
  signOnApi,
  tokenApiOf,
} from '../common-api/index.js';
import { openApiOf, type Route } from '../http/index.js';
import { artifactApi } from './artifacts.js';
import { directorApi } from './director.js';
import { dossierApi } from './dossier.js';
import { imageRepositoryApi } from './image-repository.js';
import { ecuApi } from './ecus.js';
import { enrolmentApi } from './enrolment.js';
import { CAROTA_FACTS } from './examples.js';
import { eventReceiptApi } from './event-receipt.js';
import { notificationApi } from './notifications.js';
import { refusedEventApi } from './refused-events.js';
import { CAROTA_GRANTS, CAROTA_ROLES } from './roles.js';
import { scheduleComparisonApi } from './schedule-comparison.js';
import { scheduleVehicleApi } from './schedule-vehicles.js';
import { scheduleApi } from './schedules.js';
import { updateScriptApi } from './update-scripts.js';
import { vehicleTimelineApi } from './vehicle-timeline.js';
import { vehicleApi } from './vehicles.js';

export * from './artifacts.js';
export * from './director.js';
export * from './dossier.js';
export * from './image-repository.js';
export * from './ecus.js';
export * from './enrolment.js';
export * from './event-receipt.js';
export * from './guard.js';
export * from './guard-defaults.js';
export * from './notifications.js';
export * from './retry.js';
export * from './public-key.js';
export * from './refused-events.js';
export * from './repository-status.js';
export * from './roles.js';
export * from './schedule-comparison.js';
export * from './schedule-plan.js';
export * from './schedule-vehicles.js';
export * from './schedules.js';
export * from './update-scripts.js';
export * from './vehicle-events.js';
export * from './vehicle-timeline.js';
export * from './vehicles.js';

/** Routes by which consoles learn of changes: of schedules and vehicles. */
export const carotaLiveApi = liveApiOf(['schedule', 'vehicle']);
/** Routes for the tokens of the CarOTA Server. */
export const carotaTokenApi = tokenApiOf(CAROTA_ROLES);
/** Routes by which a browser signs in to the CarOTA Server and out. */
export const carotaSessionApi = sessionApiOf('carota', CAROTA_ROLES);

/** All its routes, in the order of its documentation. */
export const CAROTA_ROUTES: readonly Route[] = [
  artifactApi,
  updateScriptApi,
  scheduleApi,
  scheduleComparisonApi,
  scheduleVehicleApi,
  dossierApi,
  vehicleApi,
  vehicleTimelineApi,
  enrolmentApi,
  certificateApi,
  ecuApi,
  directorApi,
  imageRepositoryApi,
  auditApi,
  eventReceiptApi,
  refusedEventApi,
  notificationApi,
  carotaLiveApi,
  carotaTokenApi,
  carotaSessionApi,
  signOnApi,
  serviceApi,
].flatMap((routes) => Object.values<Route>(routes));

const TAGS = {
  Artifacts: 'The files that vehicles install, identified by their SHA-256.',
  'Update scripts':
    'The instructions identified by a script-ref-id: which ECU gets which artifact.',
  Schedules: 'Update campaigns: vehicles, waves, guard, decisions.',
  Vehicles: 'The vehicles available to schedules: model, tags, installed versions.',
  Certificates: 'Client certificates of vehicles: one-time codes for enrolment, and revocation.',
  ECUs: 'The ECUs of vehicles: keys, hardware, installed and ordered images.',
  Director:
    'The Director repository of Uptane: manifests, signed time, and metadata for each vehicle.',
  'Image repository': 'The image repository of Uptane: metadata, images, and its state.',
  Audit: 'Who did what, when, from where and why; hash-chained and sealed.',
  'Call-back': 'Events from the OTA Adapter.',
  'Refused events': 'Events that could not be stored, kept with the reason until replayed.',
  Notifications: 'Rules for notifications, and their deliveries.',
  Live: 'Change notifications for browsers.',
  Tokens: 'Who may call this interface.',
  Session: 'Signing in with a browser.',
  Service: 'Health, metrics and this document.',
} as const;

/** Its OpenAPI document. @param version of the software */
export const carotaDocument = (version: string) =>
  openApiOf(CAROTA_ROUTES, {
    title: 'OTA Operations: CarOTA Server',
    description: 'Plans update campaigns: artifacts, update scripts, schedules.',
    version,
    cookie: cookieOf('carota'),
    tags: TAGS,
    grants: CAROTA_GRANTS,
    facts: CAROTA_FACTS,
  });
