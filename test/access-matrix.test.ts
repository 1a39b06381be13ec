/** The route tables in docs/access.md match the contract: which roles may call each route, and its scope rule. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ADAPTER_ROUTES, GRANTS } from '../src/contract/adapter-api/index.js';
import { CAROTA_GRANTS, CAROTA_ROUTES } from '../src/contract/carota-api/index.js';
import { type Grants, type Route, SCOPE_RULES } from '../src/contract/index.js';

const DOCUMENT = new URL('../docs/access.md', import.meta.url);
const text = readFileSync(DOCUMENT, 'utf8');

const mayCall = (granted: readonly string[], { permission }: Route) =>
  permission === 'open' || permission === 'any' || granted.includes(permission);

/** The expected table, as rows of cells. */
const matrixOf = (routes: readonly Route[], grants: Grants): string[][] => [
  ['route', ...Object.keys(grants).map((role) => `\`${role}\``), 'scope'],
  ...routes.map((route) => [
    `\`${route.method} ${route.path}\``,
    ...Object.values(grants).map((granted) => (mayCall(granted, route) ? 'yes' : '')),
    `\`${route.scope}\``,
  ]),
];

/** The table after a comment, without its line of dashes. */
function tableAfter(marker: string): string[][] {
  const [, after = ''] = text.split(`<!-- ${marker} -->`);
  const lines = after.trim().split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .filter((_, place) => place !== 1)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test.each([
  ['adapter', ADAPTER_ROUTES, GRANTS],
  ['carota', CAROTA_ROUTES, CAROTA_GRANTS],
] as const)('the %s table matches the contract', (marker, routes, grants) => {
  expect(tableAfter(marker)).toEqual(matrixOf(routes, grants));
});

test('every rule is explained', () => {
  for (const rule of SCOPE_RULES) expect(text).toContain(`| \`${rule}\``);
});
