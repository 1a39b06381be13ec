import { type AttackReport } from '../../contract/carota-api/index.js';
import { count } from '../format/numbers.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { attackOf } from './attacks.js';

/** Attacks of one vehicle. */
export const ATTACK_COLUMNS: readonly Column<AttackReport>[] = [
  { title: 'Last report', cell: ({ lastAt }) => <Time at={lastAt} /> },
  { title: 'ECU', cell: ({ serial }) => serial },
  {
    title: 'Attack',
    cell: ({ attack }) => {
      const { label, meaning } = attackOf(attack);
      return (
        <>
          {label}
          <small>{meaning}</small>
        </>
      );
    },
  },
  { title: 'Observation of the ECU', cell: ({ reason }) => <span className="wrap">{reason}</span> },
  { title: 'Reports', isNumber: true, cell: ({ count: times }) => count(times) },
  { title: 'First report', isMinor: true, cell: ({ firstAt }) => <Time at={firstAt} /> },
];
