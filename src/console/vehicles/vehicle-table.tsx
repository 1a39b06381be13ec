/** A virtual table of any length: only visible rows are rendered and fetched. */
import { useQueries } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import {
  operationApi,
  type VehicleFilter,
  type VehicleState,
} from '../../contract/adapter-api/index.js';
import { queryOptions, useTopics } from '../api/use-query.js';
import { vehicleAt } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Empty } from '../ui/notes.js';
import { State } from '../ui/state.js';
import { Time } from '../ui/time.js';

const PAGE = 100;
const ROW_PX = 32;
/** The maximum height of an element in browsers is 33,554,428 px. */
const MOST_ROWS = 1_040_000;

const COLUMNS = [
  'VIN',
  'State',
  'Reason',
  'Attempt',
  'Sends',
  'Vehicle’s time',
  'Changed',
] as const;

interface VehicleTableProps {
  readonly refId: string;
  readonly filter: VehicleFilter;
  readonly total: number;
  readonly isCounted: boolean;
  readonly topics: readonly string[];
}

export function VehicleTable({ refId, filter, total, isCounted, topics }: VehicleTableProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [, navigate] = useLocation();
  const rows = Math.min(total, MOST_ROWS);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    // The sticky header takes up one row of the frame.
    scrollPaddingEnd: ROW_PX,
  });
  const shown = virtual.getVirtualItems();
  const vehicles = usePages(refId, filter, topics, shown[0]?.index ?? 0, shown.at(-1)?.index ?? -1);

  const move = (event: KeyboardEvent) => {
    const screen = Math.floor((frame.current?.clientHeight ?? 0) / ROW_PX) - 2;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: screen,
      PageUp: -screen,
      Home: -rows,
      End: rows,
    };
    const step = steps[event.key];
    const vin = vehicles(active)?.vin;
    if (event.key === 'Enter' && vin !== undefined) navigate(vehicleAt(vin));
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(rows - 1, active + step));
    setActive(next);
    virtual.scrollToIndex(next);
  };

  if (isCounted && total === 0) {
    return (
      <Empty title="No vehicle matches.">
        <p>Change the filter above, or clear it.</p>
      </Empty>
    );
  }
  return (
    <>
      {total > MOST_ROWS && (
        <p className="note">
          These are the first {count(MOST_ROWS)} in VIN order; filter to see the others.
        </p>
      )}
      <div
        ref={frame}
        className="grid"
        role="grid"
        aria-label="Vehicles"
        aria-rowcount={rows + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={
          shown.some(({ index }) => index === active) ? `row-${active}` : undefined
        }
        tabIndex={0}
        onKeyDown={move}
      >
        <div role="rowgroup" className="grid-head">
          <div role="row" aria-rowindex={1} className="grid-row">
            {COLUMNS.map((title) => (
              <div key={title} role="columnheader">
                {title}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {shown.map(({ index, start }) => (
            <Row
              key={index}
              index={index}
              start={start}
              vehicle={vehicles(index)}
              isActive={index === active}
              onChoose={() => setActive(index)}
            />
          ))}
        </div>
      </div>
    </>
  );
}

/** The visible pages; each is refetched when something has changed. */
function usePages(
  refId: string,
  filter: VehicleFilter,
  topics: readonly string[],
  first: number,
  last: number,
): (index: number) => VehicleState | undefined {
  useTopics(topics);
  const from = Math.floor(first / PAGE);
  const upto = Math.floor(Math.max(first, last) / PAGE);
  const numbers = Array.from({ length: upto - from + 1 }, (_, place) => from + place);
  const pages = useQueries({
    queries: numbers.map((number) => ({
      ...queryOptions(
        operationApi.listOperationVehicles,
        {
          params: { 'ref-id': refId },
          query: { ...filter, offset: number * PAGE, limit: PAGE },
        },
        topics,
      ),
      // Rows scrolled past are not kept: there may be a million.
      gcTime: 10_000,
      enabled: last >= 0,
    })),
  });
  return (index) => pages[Math.floor(index / PAGE) - from]?.data?.items[index % PAGE];
}

interface RowProps {
  readonly index: number;
  readonly start: number;
  readonly vehicle: VehicleState | undefined;
  readonly isActive: boolean;
  readonly onChoose: () => void;
}

function Row({ index, start, vehicle, isActive, onChoose }: RowProps) {
  return (
    <div
      id={`row-${index}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive}
      className={isActive ? 'grid-row active' : 'grid-row'}
      style={{ transform: `translateY(${start}px)` }}
      onMouseDown={onChoose}
    >
      {vehicle ? <Cells vehicle={vehicle} /> : COLUMNS.map((title) => <Waiting key={title} />)}
    </div>
  );
}

const Waiting = () => (
  <div role="gridcell">
    <span className="waiting" />
  </div>
);

function Cells({ vehicle }: { vehicle: VehicleState }) {
  const { vin, state, paused, reason, attempt, sends, eventAt, updatedAt } = vehicle;
  return (
    <>
      <div role="gridcell">
        <Link href={vehicleAt(vin)} tabIndex={-1}>
          {vin}
        </Link>
      </div>
      <div role="gridcell">
        <State state={state} paused={paused} />
      </div>
      <div role="gridcell" title={reason ?? undefined}>
        {reason}
      </div>
      <div role="gridcell">{attempt}</div>
      <div role="gridcell">{sends}</div>
      <div role="gridcell">
        <Time at={eventAt} />
      </div>
      <div role="gridcell">
        <Time at={updatedAt} />
      </div>
    </>
  );
}
