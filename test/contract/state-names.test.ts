/** States, statuses, error codes and roles are enums in both interfaces, and each value that occurs is among them. */
import { expect, test } from 'vitest';
import { adapterDocument } from '../../src/contract/adapter-api/index.js';
import { carotaDocument } from '../../src/contract/carota-api/index.js';
import {
  checkOf,
  DELIVERY_STATES,
  EVENT_STATUS,
  type DeliveryState,
  isVehicleState,
  ReportedStatusName,
  ScheduleVehicleStateName,
  statusName,
  VEHICLE_STATES,
  vehicleState,
  VehicleStateName,
} from '../../src/contract/index.js';

const STATUSES = [...Object.values(EVENT_STATUS), 0, 99, 65_535];
const event = (status: number, eventTime: number) =>
  ({ kind: 'event', messageId: `msg-${eventTime}`, attempt: 1, eventTime, status }) as const;

test('a vehicle in an operation is always in a state of the contract', () => {
  const histories = STATUSES.flatMap((one) => [
    [event(one, 1)],
    ...STATUSES.map((other) => [event(one, 1), event(other, 2)]),
  ]);
  const states = new Set<string>([
    ...histories.map((history) => vehicleState('sent', 1, history).state),
    ...DELIVERY_STATES.map((delivery: DeliveryState) => vehicleState(delivery, 1, []).state),
  ]);
  const check = checkOf(VehicleStateName);
  for (const state of states) {
    expect([state, check.errors(state), isVehicleState(state)]).toEqual([state, [], true]);
  }
  // And each of them can occur.
  const named = [...states].map((state) => (state.startsWith('unknown') ? 'unknown' : state));
  expect([...new Set(named)].sort()).toEqual([...VEHICLE_STATES].sort());
});

test('each status has a name of the contract, and is a state in a schedule', () => {
  for (const status of STATUSES) {
    expect(checkOf(ReportedStatusName).errors(statusName(status))).toEqual([]);
    expect(checkOf(ScheduleVehicleStateName).errors(statusName(status))).toEqual([]);
  }
  for (const other of ['sucess', 'unknown', 'unknown(x)', 'unknown(123456)', '']) {
    expect(checkOf(ReportedStatusName).matches(other)).toBe(false);
  }
});

const NAMES = new Set([
  'state',
  'status-name',
  'stage',
  'errorCode',
  'role',
  'delivery',
  'outcome',
]);
/** Members that may be any text, and why. */
const TEXTS: Readonly<Record<string, string>> = {
  'ReceivedEvent.status-name': 'of an adapter of any release',
  'RepositoryRole.role': 'delegated roles have names of their own',
  'ProposedRole.role': 'delegated roles have names of their own',
  'OnlineRole.role': 'a role of Uptane',
};

interface Schema {
  readonly type?: unknown;
  readonly enum?: unknown;
  readonly pattern?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
}
const isAnyText = ({ type, anyOf = [], ...rest }: Schema): boolean =>
  (type === 'string' && rest.enum === undefined && rest.pattern === undefined) ||
  anyOf.some(isAnyText);

test.each([
  ['the adapter', adapterDocument('1')],
  ['the CarOTA Server', carotaDocument('1')],
])('no state, status name, error code or role of %s may be any text', (_name, document) => {
  const { schemas } = (document as unknown as { components: { schemas: Record<string, Schema> } })
    .components;
  const members = Object.entries(schemas).flatMap(([title, { properties = {} }]) =>
    Object.entries(properties)
      .filter(([name]) => NAMES.has(name))
      .map(([name, schema]) => ({ place: `${title}.${name}`, schema })),
  );
  expect(members.length).toBeGreaterThan(10);
  const texts = members.filter(({ schema }) => isAnyText(schema)).map(({ place }) => place);
  expect(texts.filter((place) => !Object.hasOwn(TEXTS, place))).toEqual([]);
});
