/**
 * The members of our answers, bodies and files are declared once, in `src/contract`. Other code derives its types from
 * there (`Omit`, `Pick`, `Served`, `Given`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { adapterDocument } from '../../src/contract/adapter-api/index.js';
import { carotaDocument } from '../../src/contract/carota-api/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

/** Types declared outside `src/contract` with the same members, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'uptane/repository/status.ts RoleStatus': 'uptane imports nothing of ours',
  'uptane/repository/status.ts ProposedStatus': 'uptane imports nothing of ours',
  'uptane/repository/status.ts KeyStatus': 'uptane imports nothing of ours',
  'uptane/repository/status.ts RepositoryStatus': 'uptane imports nothing of ours',
  'uptane/manifest/ecu-report.ts ReportedImage': 'uptane imports nothing of ours',
  'uptane/director-repository/next-files.ts NextFiles': 'uptane imports nothing of ours',
  'carota/image-repository/image-repository.ts NewTarget': 'not what an upload asks for',
  'vehicle/update/equipment.ts VehicleStatus': 'what sensors read, not the limits of a script',
  'vehicle/installer/file-installer.ts Manifest':
    'a file of an ECU, which the contract does not know',
};

/** Pairs with the same members, where the dossier allows no others. */
const CLOSED = new Set(['AuditSeal DossierSealedHead', 'DossierImage EcuImage']);

interface Schema {
  readonly type?: unknown;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface Shape {
  /** `path name`. */
  readonly id: string;
  readonly names: ReadonlySet<string>;
}

/** Members that a declaration writes out itself: not those that it derives. */
function membersOf(node: ts.Node): Set<string> | undefined {
  const members = ts.isInterfaceDeclaration(node)
    ? node.members
    : ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type)
      ? node.type.members
      : undefined;
  if (!members || members.some((member) => !ts.isPropertySignature(member))) return undefined;
  return new Set(members.flatMap(({ name }) => (name ? [textOf(name)] : [])));
}

const textOf = (name: ts.PropertyName) =>
  ts.isStringLiteral(name) || ts.isIdentifier(name) ? name.text : '';

/** A declaration from its first line to its end, as Prettier formats it: parsing all code would take seconds. */
const DECLARATION =
  /^(?:export )?(?:interface\b.*\{\}|interface\b[^]*?^\}|type\b[^=]*= \{(?:.*\};$|[^]*?^\}.*$))/gm;

/** Types that a file declares by writing out their members, at its top. */
function declaredIn(path: string): Shape[] {
  const declarations = readFileSync(join(SRC, path), 'utf8').match(DECLARATION);
  if (!declarations) return [];
  const text = declarations.join('\n');
  const { statements } = ts.createSourceFile(path, text, {
    languageVersion: ts.ScriptTarget.Latest,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
  return statements.flatMap((node) => {
    const names = membersOf(node);
    if (!names || names.size < 3) return [];
    return [{ id: `${path} ${(node as ts.InterfaceDeclaration).name.text}`, names }];
  });
}

/** All schemas of objects in a value: a document, or what a module of the contract exports. */
function schemasIn(value: unknown, seen = new Set<object>()): Schema[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  const schema = value as Schema;
  const inner = Object.values(value).flatMap((one) => schemasIn(one, seen));
  return schema.type === 'object' && schema.properties ? [schema, ...inner] : inner;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => path.replaceAll('\\', '/'));
const ofContract = files.filter((path) => path.startsWith('contract/'));

async function contractShapes(): Promise<Shape[]> {
  const modules = await Promise.all(
    ofContract.map((path) => import(`../../src/${path}`) as Promise<Record<string, unknown>>),
  );
  const seen = new Set<object>();
  const schemas = modules
    .flatMap((exported) => Object.values(exported).flatMap((value) => schemasIn(value, seen)))
    .map(({ title, properties }) => ({
      id: `contract: ${title ?? 'without a title'}`,
      names: new Set(Object.keys(properties ?? {})),
    }))
    .filter(({ names }) => names.size >= 3);
  return [...schemas, ...ofContract.flatMap(declaredIn)];
}

test('no type outside the contract repeats the members of one in the contract', async () => {
  const contract = await contractShapes();
  const others = files.filter((path) => !ofContract.includes(path)).flatMap(declaredIn);
  expect(contract.length).toBeGreaterThan(150);
  expect(others.length).toBeGreaterThan(400);
  // A repetition writes out most members of the other one, and no others.
  const found = others.flatMap(({ id, names }) => {
    const twin = contract.find(
      (one) =>
        names.size >= 0.75 * one.names.size && [...names].every((name) => one.names.has(name)),
    );
    return twin ? [`${id}: ${twin.id}`] : [];
  });
  expect(found.filter((pair) => !Object.hasOwn(ALLOWED, pair.split(':')[0] ?? ''))).toEqual([]);
  // Every exception still exists.
  const gone = Object.keys(ALLOWED).filter(
    (id) => !found.some((pair) => pair.startsWith(`${id}:`)),
  );
  expect(gone).toEqual([]);
});

describe('within the contract', () => {
  /** Its rules for values, without its texts for people. */
  const rules = (schema: Schema) =>
    JSON.stringify(schema.properties, (key, value: unknown) =>
      ['title', 'description', 'examples'].includes(key) ? undefined : value,
    );

  test.each([
    ['the adapter', adapterDocument('1')],
    ['the CarOTA Server', carotaDocument('1')],
    [
      'the dossier',
      JSON.parse(readFileSync(join(ROOT, 'docs/record.schema.json'), 'utf8')) as unknown,
    ],
  ])('no two schemas of %s have the same rules', (_name, document) => {
    const schemas = schemasIn(document).filter(
      ({ title, properties = {} }) => title !== undefined && Object.keys(properties).length >= 3,
    );
    expect(schemas.length).toBeGreaterThan(10);
    const same = new Map<string, Set<string>>();
    for (const schema of schemas) {
      const titles = same.get(rules(schema)) ?? new Set();
      same.set(rules(schema), titles.add(schema.title ?? ''));
    }
    const twice = [...same.values()].filter(({ size }) => size > 1).map((titles) => [...titles]);
    expect(twice.filter((titles) => !CLOSED.has(titles.toSorted().join(' ')))).toEqual([]);
  });
});
