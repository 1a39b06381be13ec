/** The titles of the tests in a file, read from its text, to check that documents name only existing tests. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

export interface NamedTest {
  /** Titles of the `describe`s around it and its own, with the placeholders of `each`. */
  readonly titles: readonly string[];
  /** Whether it is skipped, or runs only under a condition. */
  readonly isConditional: boolean;
}

interface TestFile {
  readonly tests: readonly NamedTest[];
  /** Texts of the file and its helpers, from which rows of `each` are made. */
  readonly texts: readonly RegExp[];
}

const files = new Map<string, TestFile>();

/**
 * Checks that a file has a test that always runs, by its title, or by the titles of the `describe`s around it and its
 * own, joined with ` > `.
 *
 * @param path relative to the project's folder
 * @returns the fault, if any
 */
export function faultOfTest(path: string, name: string): string | undefined {
  if (!existsSync(path)) return `there is no file ${path}`;
  const { tests, texts } = fileAt(path);
  const wanted = name.split(' > ');
  const found = tests.filter(({ titles }) => {
    const last = titles.slice(-wanted.length);
    return (
      last.length === wanted.length &&
      last.every((title, place) => isTitle(title, wanted[place] ?? '', texts))
    );
  });
  if (found.length === 0) return `${path} has no test "${name}"`;
  return found.every(({ isConditional }) => isConditional)
    ? `"${name}" in ${path} is skipped, or runs only under a condition`
    : undefined;
}

/** Placeholders that vitest replaces, such as `%s` and `$name`. */
const PLACEHOLDER = /%[sdifjo#$]|\$[a-zA-Z]+/;

function isTitle(title: string, wanted: string, texts: readonly RegExp[]): boolean {
  if (title === wanted) return true;
  const parts = title.split(PLACEHOLDER);
  if (parts.length === 1) return false;
  const match = new RegExp(`^${parts.map(escaped).join('(.+?)')}$`, 's').exec(wanted);
  return match?.slice(1).every((value) => texts.some((text) => text.test(value))) ?? false;
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

function fileAt(path: string): TestFile {
  const known = files.get(path);
  if (known) return known;
  const source = sourceAt(path);
  const tests: NamedTest[] = [];
  collectTests(source, { titles: [], isConditional: false }, tests);
  const texts = [source, ...helpersOf(path, source)].flatMap(textsIn);
  const file = { tests, texts };
  files.set(path, file);
  return file;
}

const sourceAt = (path: string) =>
  ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);

/** Its imports from the folder of tests. */
function helpersOf(path: string, source: ts.SourceFile): ts.SourceFile[] {
  return source.statements
    .filter(ts.isImportDeclaration)
    .map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name.replace(/\.js$/, '.ts')))
    .filter((file) => file.startsWith('test') && existsSync(file))
    .map(sourceAt);
}

function collectTests(node: ts.Node, around: NamedTest, tests: NamedTest[]): void {
  const call = ts.isCallExpression(node) ? runnerOf(node) : undefined;
  if (!call) {
    node.forEachChild((child) => collectTests(child, around, tests));
    return;
  }
  const here = {
    titles: [...around.titles, call.title],
    isConditional: around.isConditional || call.isConditional,
  };
  if (call.isTest) tests.push(here);
  else call.body.forEach((child) => collectTests(child, here, tests));
}

interface Runner {
  readonly isTest: boolean;
  readonly title: string;
  readonly isConditional: boolean;
  readonly body: readonly ts.Node[];
}

/** `test('…')`, `describe.each(…)('…')`, `test.skip('…')` and the like. */
function runnerOf(call: ts.CallExpression): Runner | undefined {
  const [title, ...body] = call.arguments;
  if (!title) return undefined;
  const text = titleOf(title);
  if (text === undefined) return undefined;
  const modifiers: string[] = [];
  let callee: ts.Expression = call.expression;
  while (!ts.isIdentifier(callee)) {
    if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isPropertyAccessExpression(callee)) {
      modifiers.push(callee.name.text);
      callee = callee.expression;
    } else return undefined;
  }
  const name = callee.text;
  if (name !== 'test' && name !== 'describe') return undefined;
  // `test.each(…)` itself is not a test: the title comes with the next call.
  const isMade = ts.isPropertyAccessExpression(call.expression) && modifiers.some(isMaker);
  if (isMade) return undefined;
  return {
    isTest: name === 'test',
    title: text,
    isConditional: modifiers.some((one) => CONDITIONAL.includes(one)),
    body,
  };
}

const CONDITIONAL = ['skip', 'todo', 'fails', 'runIf', 'skipIf'];
const isMaker = (modifier: string) => ['each', 'for', 'runIf', 'skipIf'].includes(modifier);

function titleOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `%s${literal.text}`).join('');
}

/** Each text and template of a file, and member names, from which rows may be made. */
function textsIn(source: ts.SourceFile): RegExp[] {
  const texts: RegExp[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.push(new RegExp(`^${escaped(node.text)}$`, 's'));
    // As in the source, and as `%i` prints it.
    if (ts.isNumericLiteral(node)) {
      texts.push(new RegExp(`^(?:${escaped(node.getText())}|${escaped(node.text)})$`));
    }
    if (ts.isTemplateExpression(node)) {
      const parts = (titleOf(node) ?? '').split('%s');
      if (parts.some((part) => part.trim() !== '')) {
        texts.push(new RegExp(`^${parts.map(escaped).join('.+?')}$`, 's'));
      }
    }
    node.forEachChild(visit);
  };
  visit(source);
  return texts;
}
