/** `/v1.0/schedules/{ref-id}/comparison`: differences from the last campaign, for approvers. */
import Type from '../typebox.js';
import { json, Nullable, pageOf, PageQuery, RefIdParams, routesOf, Time } from '../http/index.js';
import { EcuUpdate } from '../update-script/index.js';
import { ScheduleStatus } from './schedules.js';

/** One member that differs. */
export const Difference = Type.Object(
  {
    path: Type.String({
      description:
        'JSON Pointer (RFC 6901). A list of texts or numbers is compared as one value, as is a member that only one side has.',
      examples: ['/guard/exposureCap'],
    }),
    before: Type.Unknown({ description: 'In the last campaign; null: absent.' }),
    after: Type.Unknown({ description: 'Now; null: absent.' }),
  },
  { title: 'Difference' },
);
export type Difference = Type.Static<typeof Difference>;

const ComparedScript = Type.Object(
  {
    'script-ref-id': Type.String(),
    sha256: Type.String({ description: 'SHA-256 of its file; needed for approval.' }),
  },
  { title: 'ComparedScript' },
);

/** Software of one ECU in both campaigns. */
export const EcuComparison = Type.Object(
  {
    ecu: Type.String(),
    before: Nullable(EcuUpdate, 'null: the last campaign did not update it.'),
    after: Nullable(EcuUpdate, 'null: this one does not update it.'),
    differs: Type.Boolean(),
  },
  { title: 'EcuComparison' },
);
/** A value that fits the schema {@link EcuComparison}. */
export type EcuComparison = Type.Static<typeof EcuComparison>;

const Rxswins = Type.Object(
  { rxswinBefore: Type.String(), rxswinAfter: Type.String() },
  { title: 'Rxswins' },
);
/** RXSWIN of one regulation in both campaigns. */
export const RegulationComparison = Type.Object(
  {
    regulation: Type.String({ examples: ['UN R79'] }),
    before: Nullable(Rxswins, 'null: not named in the last campaign’s script.'),
    after: Nullable(Rxswins, 'null: not named in this script.'),
    differs: Type.Boolean({
      description: 'Whether the RXSWINs or the software that they identify differ.',
    }),
  },
  { title: 'RegulationComparison' },
);
/** A value that fits the schema {@link RegulationComparison}. */
export type RegulationComparison = Type.Static<typeof RegulationComparison>;

/** Differences between a schedule and the last campaign. */
export const ScheduleComparison = Type.Object(
  {
    'ref-id': Type.String(),
    digest: Type.String({
      description:
        'SHA-256 over the compared plan, update script and list of vehicles, which an approval covers.',
    }),
    last: Nullable(
      Type.Object(
        {
          'ref-id': Type.String(),
          status: ScheduleStatus,
          approvedAt: Nullable(Time),
          startedAt: Nullable(Time),
        },
        { title: 'LastCampaign' },
      ),
      'The previous campaign; null: there is none, and everything is new.',
    ),
    plan: Type.Array(Difference, {
      description: 'Members of the plan that differ, with defaults filled in.',
    }),
    script: Type.Object(
      {
        before: Nullable(ComparedScript),
        after: ComparedScript,
        ecus: Type.Array(EcuComparison, { description: 'Each ECU of either script, by name.' }),
        regulations: Type.Array(RegulationComparison, {
          description: 'Each regulation of either script, by name.',
        }),
        other: Type.Array(Difference, {
          description: 'Other members of the script that differ, with defaults filled in.',
        }),
      },
      { title: 'ScriptComparison' },
    ),
    vehicles: Type.Object(
      {
        before: Type.Integer({ description: 'Vehicles of the last campaign.' }),
        after: Type.Integer({ description: 'Vehicles of this one.' }),
        added: Type.Integer({ description: 'Only in this one.' }),
        removed: Type.Integer({ description: 'Only in the last one.' }),
      },
      { title: 'VehicleComparison' },
    ),
  },
  { title: 'ScheduleComparison' },
);
/** A value that fits the schema {@link ScheduleComparison}. */
export type ScheduleComparison = Type.Static<typeof ScheduleComparison>;

const ComparedVehicle = Type.Object({ vin: Type.String() }, { title: 'ComparedVehicle' });

/** Routes that compare a schedule with the last campaign. */
export const scheduleComparisonApi = routesOf('Schedules', {
  compareSchedule: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/comparison',
    permission: 'read',
    scope: 'unscoped-only',
    load: 'search',
    summary: 'Compare a schedule with the last campaign: plan, update script and vehicles',
    description:
      'The last campaign is the one of the same model that was approved last before this one; a campaign that needed no approval counts from its start.',
    params: RefIdParams,
    answer: json(ScheduleComparison, 'The differences.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
  listComparedVehicles: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/comparison/vehicles',
    permission: 'read',
    scope: 'unscoped-only',
    load: 'search',
    summary: 'List the vehicles that only one of the two compared campaigns has',
    params: RefIdParams,
    query: Type.Object({
      ...PageQuery.properties,
      only: Type.Enum(['added', 'removed'], {
        description: 'added: only in this schedule; removed: only in the last campaign.',
      }),
    }),
    answer: json(pageOf(ComparedVehicle), 'A page of vehicles, sorted by VIN.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
});
