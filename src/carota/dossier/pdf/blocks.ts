/** The content of a dossier's record as printed: all its members, in words and tables. Pure. */
import {
  DossierLine,
  type DossierRecord,
  type RecordOf,
} from '../../../contract/carota-api/index.js';

/** Something printed. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  /** Names and values. */
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  /** Text with its own line breaks. */
  | { readonly kind: 'text'; readonly title: string; readonly text: string }
  /** A separate line that starts with a time. */
  | { readonly kind: 'line'; readonly text: string };

export type Fact = readonly [name: string, value: string];

/** Parts of a dossier, each starting on a new page, in the order of the records. */
export const PARTS = {
  campaign: 'Campaign',
  update: 'The update',
  decisions: 'Approvals, waves and decisions',
  vehicles: 'Vehicles',
  end: 'End of the record',
} as const;
export type Part = keyof typeof PARTS;

const PART_OF: Readonly<Record<DossierRecord['type'], Part>> = {
  campaign: 'campaign',
  script: 'update',
  regulation: 'update',
  approval: 'decisions',
  wave: 'decisions',
  decision: 'decisions',
  test: 'decisions',
  vehicle: 'vehicles',
  step: 'vehicles',
  failure: 'vehicles',
  audit: 'vehicles',
  end: 'end',
  timestamp: 'end',
};

export const partOf = (record: DossierRecord): Part =>
  record.type === 'audit' && record.vin === null ? 'decisions' : PART_OF[record.type];

/** Members of each type of record, in the order of the schema; the lines have them sorted by name. */
const MEMBERS = new Map<string, readonly string[]>(
  DossierLine.anyOf.map(({ properties }) => [properties.type.const, Object.keys(properties)]),
);

function inOrder<Record extends DossierRecord>(record: Record): Record {
  const names = MEMBERS.get(record.type) ?? [];
  const members = Object.entries(record).sort(([a], [b]) => names.indexOf(a) - names.indexOf(b));
  return Object.fromEntries(members) as Record;
}

/** @param line a record as in its JSON line */
export function blocksOf(line: DossierRecord): Block[] {
  const record = inOrder(line);
  switch (record.type) {
    case 'script': {
      const { file, purpose, consent, ...facts } = record;
      return [
        { kind: 'facts', facts: factsOf(facts) },
        { kind: 'text', title: 'Purpose', text: purpose ?? 'The script names none.' },
        ...consentBlocks(consent),
        { kind: 'text', title: 'The script, as vehicles fetch it', text: file },
      ];
    }
    case 'step':
      return [
        {
          kind: 'line',
          text: `${record.at}  ${record['status-name']} (${record.status}), received ${record['received-at']}, event ${record['event-id']}${metaText(record)}`,
        },
      ];
    case 'failure':
      return [{ kind: 'line', text: failureText(record) }];
    case 'vehicle':
      return [
        { kind: 'heading', text: record.vin },
        { kind: 'facts', facts: factsOf({ ...record, vin: undefined }) },
      ];
    case 'timestamp':
      return [
        { kind: 'heading', text: 'Time stamp (RFC 3161)' },
        { kind: 'facts', facts: factsOf(record) },
      ];
    case 'campaign':
      return [{ kind: 'facts', facts: factsOf(record) }];
    case 'end':
      return [
        { kind: 'heading', text: 'Records' },
        { kind: 'facts', facts: factsOf(record.counts) },
      ];
    default:
      return [
        { kind: 'heading', text: HEADINGS[record.type](record as never) },
        { kind: 'facts', facts: factsOf(record) },
      ];
  }
}

const HEADINGS = {
  regulation: ({ regulation }: RecordOf<'regulation'>) => `Type approval: ${regulation}`,
  approval: ({ of }: RecordOf<'approval'>) => `Approval of the ${of}`,
  wave: ({ number }: RecordOf<'wave'>) => `Wave ${number}`,
  decision: ({ decision, at }: RecordOf<'decision'>) => `Decision: ${decision}, ${at}`,
  test: ({ number }: RecordOf<'test'>) => `Test ${number} of the guard`,
  audit: ({ action }: RecordOf<'audit'>) => `Audit log: ${action}`,
} as const;

function consentBlocks(consent: RecordOf<'script'>['consent']): Block[] {
  if (!consent) {
    return [{ kind: 'text', title: 'Information given to the user', text: 'Users are not asked.' }];
  }
  const { text, ...facts } = consent;
  return [
    { kind: 'text', title: 'Information given to the user', text },
    { kind: 'facts', facts: factsOf(facts) },
  ];
}

const metaText = ({ meta }: RecordOf<'step'>) =>
  meta.map(({ key, value }) => `, ${key}: ${value}`).join('');

function failureText({
  at,
  'status-name': statusName,
  'event-id': eventId,
  reason,
  followed,
}: RecordOf<'failure'>): string {
  const then = followed.map((next) => `${next['status-name']} ${next.at}`).join(', ');
  const why = reason === null ? '' : ` because of: ${reason}`;
  return `${at}  FAILURE ${statusName} (event ${eventId})${why}; followed by: ${then === '' ? 'nothing' : then}`;
}

/** Members that appear only in the JSON Lines: bytes that people cannot read. */
const BYTES = new Set(['manifest', 'token']);
/** Members already shown in the heading or the part. */
const SAID = new Set(['type', 'hash']);

/** Every member, in its order; nested members separately. */
function factsOf(value: object, prefix = ''): Fact[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]): Fact[] => {
    if (member === undefined || (prefix === '' && SAID.has(name))) return [];
    const label = prefix === '' ? wordsOf(name) : `${prefix}, ${wordsOf(name)}`;
    if (BYTES.has(name) && typeof member === 'string') {
      const { length } = Buffer.from(member, 'base64');
      return [[label, `${length} bytes, in the JSON Lines`]];
    }
    if (member === null) return [[label, '—']];
    if (Array.isArray(member)) {
      if (member.length === 0) return [[label, 'none']];
      return member.flatMap((item: unknown, place): Fact[] =>
        typeof item === 'object' && item !== null
          ? factsOf(item, `${label} ${place + 1}`)
          : [[`${label} ${place + 1}`, textOf(item)]],
      );
    }
    if (typeof member === 'object') {
      const facts = factsOf(member, label);
      return facts.length > 0 ? facts : [[label, 'none']];
    }
    return [[label, textOf(member)]];
  });
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** `createdAt` → `created at`; names with other characters are unchanged. */
const wordsOf = (name: string): string =>
  /^[a-z][A-Za-z0-9]*$/.test(name)
    ? name.replaceAll(/[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`)
    : name;
