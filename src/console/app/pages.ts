/** The pages by address; each is loaded when first opened. */
import { type ComponentType, lazy } from 'react';
import { type Session } from '../../contract/common-api/index.js';
import { type Permission } from '../../contract/http/permission.js';

export interface PageAt {
  readonly path: string;
  readonly page: ComponentType;
}

export interface NavItem {
  readonly to: string;
  readonly label: string;
  /** Shown only to those who have it; absent: to all. */
  readonly permission?: Permission;
  /** Whether it spans vehicle models: hidden from users who are limited to some. */
  readonly spansModels?: boolean;
}

const page = (load: () => Promise<ComponentType>) => lazy(async () => ({ default: await load() }));

const ADAPTER: readonly PageAt[] = [
  {
    path: '/operations',
    page: page(async () => (await import('../operations/operations-page.js')).OperationsPage),
  },
  {
    path: '/operations/:ref',
    page: page(async () => (await import('../operations/operation-page.js')).OperationPage),
  },
  {
    path: '/operations/:ref/vehicles',
    page: page(async () => (await import('../vehicles/table-page.js')).TablePage),
  },
  {
    path: '/vehicles',
    page: page(async () => (await import('../vehicles/search-page.js')).SearchPage),
  },
  {
    path: '/vehicles/:vin',
    page: page(async () => (await import('../vehicles/vehicle-page.js')).VehiclePage),
  },
  {
    path: '/registry',
    page: page(async () => (await import('../fleet/registry-page.js')).RegistryPage),
  },
  {
    path: '/dead-letters',
    page: page(async () => (await import('../fleet/dead-letters-page.js')).DeadLettersPage),
  },
  { path: '/health', page: page(async () => (await import('../fleet/health-page.js')).HealthPage) },
  {
    path: '/tokens',
    page: page(async () => (await import('../access/pages.js')).AdapterTokensPage),
  },
  { path: '/audit', page: page(async () => (await import('../audit/audit-page.js')).AuditPage) },
];

const CAROTA: readonly PageAt[] = [
  {
    path: '/schedules',
    page: page(async () => (await import('../planning/schedules-page.js')).SchedulesPage),
  },
  {
    path: '/schedules/new',
    page: page(async () => (await import('../planning/new-schedule-page.js')).NewSchedulePage),
  },
  {
    path: '/schedules/:ref',
    page: page(async () => (await import('../planning/schedule-page.js')).SchedulePage),
  },
  {
    path: '/scripts',
    page: page(async () => (await import('../planning/scripts-page.js')).ScriptsPage),
  },
  {
    path: '/scripts/new',
    page: page(async () => (await import('../planning/new-script-page.js')).NewScriptPage),
  },
  {
    path: '/scripts/:ref',
    page: page(async () => (await import('../planning/script-page.js')).ScriptPage),
  },
  {
    path: '/artifacts',
    page: page(async () => (await import('../planning/artifacts-page.js')).ArtifactsPage),
  },
  {
    path: '/vehicles',
    page: page(async () => (await import('../planning/fleet-page.js')).FleetPage),
  },
  {
    path: '/vehicles/:vin',
    page: page(async () => (await import('../planning/known-vehicle-page.js')).KnownVehiclePage),
  },
  {
    path: '/repositories',
    page: page(async () => (await import('../trust/repositories-page.js')).RepositoriesPage),
  },
  {
    path: '/attacks',
    page: page(async () => (await import('../trust/attacks-page.js')).AttacksPage),
  },
  {
    path: '/refused-events',
    page: page(async () => (await import('../planning/refused-events-page.js')).RefusedEventsPage),
  },
  {
    path: '/tokens',
    page: page(async () => (await import('../access/pages.js')).CarotaTokensPage),
  },
  {
    path: '/notifications',
    page: page(
      async () => (await import('../notifications/notifications-page.js')).NotificationsPage,
    ),
  },
  { path: '/audit', page: page(async () => (await import('../audit/audit-page.js')).AuditPage) },
];

export const PAGES: Readonly<Record<Session['server'], readonly PageAt[]>> = {
  adapter: ADAPTER,
  carota: CAROTA,
};

export const NAVIGATION: Readonly<Record<Session['server'], readonly NavItem[]>> = {
  adapter: [
    { to: '/operations', label: 'Operations' },
    { to: '/vehicles', label: 'Vehicles' },
    { to: '/registry', label: 'Registry' },
    { to: '/dead-letters', label: 'Dead letters', spansModels: true },
    { to: '/health', label: 'Health', spansModels: true },
    { to: '/tokens', label: 'Tokens', permission: 'administer', spansModels: true },
    { to: '/audit', label: 'Audit log', spansModels: true },
  ],
  carota: [
    { to: '/schedules', label: 'Schedules' },
    { to: '/scripts', label: 'Update scripts' },
    { to: '/artifacts', label: 'Artifacts', spansModels: true },
    { to: '/vehicles', label: 'Vehicles' },
    { to: '/repositories', label: 'Repositories', spansModels: true },
    { to: '/attacks', label: 'Attacks', spansModels: true },
    { to: '/refused-events', label: 'Refused events', spansModels: true },
    { to: '/tokens', label: 'Tokens', permission: 'administer', spansModels: true },
    { to: '/notifications', label: 'Notifications', permission: 'administer', spansModels: true },
    { to: '/audit', label: 'Audit log', spansModels: true },
  ],
};

export const SERVER_NAMES: Readonly<Record<Session['server'], string>> = {
  adapter: 'OTA Adapter',
  carota: 'CarOTA Server',
};
