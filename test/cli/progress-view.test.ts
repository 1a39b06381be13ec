/** The live view in a foreign terminal: xterm, headless. */
import xterm from '@xterm/headless';
import { describe, expect, test } from 'vitest';
import { progressView } from '../../src/cli/progress-view.js';
import { type Operation } from '../../src/contract/adapter-api/index.js';

const operation = (refId: string, states: Record<string, number>, finished = 0): Operation => ({
  'ref-id': refId,
  model: 'm',
  'script-ref-id': 's',
  status: 'active',
  scheduledAt: '2026-01-01T00:00:00.000Z',
  createdAt: '2026-01-01T00:00:00.000Z',
  archivedAt: null,
  priority: 0,
  rate: null,
  ttl: -1,
  ack_required: '1',
  vehicles: Object.values(states).reduce((sum, number) => sum + number, 0),
  states,
  paused: 0,
  finished,
  succeeded: finished,
  failed: 0,
  open: 0,
  finishedPerMinute: 0,
});

/** A terminal of this size and its screen content. */
function terminalOf(columns: number, rows: number) {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    allowProposedApi: true,
    scrollback: 1_000,
  });
  let written = Promise.resolve();
  const stream = {
    isTTY: true,
    columns,
    rows,
    write(text: string) {
      // A terminal driver turns each LF into CR LF.
      const bytes = text.replaceAll('\n', '\r\n');
      written = written.then(() => new Promise((resolve) => terminal.write(bytes, resolve)));
    },
  };
  return {
    stream,
    view: progressView(stream),
    resize: (to: number) => {
      stream.columns = to;
      written = written.then(() => terminal.resize(to, rows));
    },
    /** Everything, including what has scrolled off the screen. */
    lines: async () => {
      await written;
      const { active } = terminal.buffer;
      const all = Array.from({ length: active.length }, (_, row) =>
        (active.getLine(row)?.translateToString(true) ?? '').trimEnd(),
      );
      return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
    },
  };
}

const STATES = ['pending', 'sent', 'acknowledged', 'received', 'consent_accepted', 'downloading'];
const MORE = ['downloaded', 'md5_check_success', 'pki_check_success', 'reboot', 'success'];
const full = (vehicles: number) =>
  Object.fromEntries([...STATES, ...MORE].map((state) => [state, vehicles]));

describe.each([
  [120, 50],
  [80, 24],
  [40, 12],
  [20, 5],
])('%i × %i', (columns, rows) => {
  test('a redraw replaces the previous frame, whether it grows or shrinks', async () => {
    const { stream, view, lines } = terminalOf(columns, rows);
    stream.write('before\n');
    const refIds = ['schedule 0909', 'schedule 0910', 'schedule 0911'];
    for (const states of [{ pending: 4 }, full(1), full(200), { success: 4 }, full(3)]) {
      view.show(refIds.map((refId) => operation(refId, states)));
    }
    const last = refIds.map((refId) => operation(refId, { success: 4 }, 4));
    view.show(last);
    view.done();
    stream.write('after\n');
    const shown = await lines();
    expect(shown[0]).toBe('before');
    expect(shown.at(-1)).toBe('after');
    // Each once, without remains of earlier frames.
    for (const refId of refIds) {
      expect(shown.filter((line) => line.startsWith(refId))).toHaveLength(1);
    }
    expect(shown.filter((line) => /pending|downloading/.test(line))).toEqual([]);
    expect(shown.length).toBeLessThanOrEqual(rows + 1);
  });

  test('log lines scroll by above the view', async () => {
    const { view, lines } = terminalOf(columns, rows);
    view.show([operation('r', { sent: 1 })]);
    view.above('{"msg":"one"}\n');
    view.show([operation('r', { success: 1 }, 1)]);
    view.above('{"msg":"two"}\n');
    view.done();
    const shown = await lines();
    expect(shown.slice(0, 2)).toEqual(['{"msg":"one"}', '{"msg":"two"}']);
    expect(shown[2]).toMatch(/^r {2}1\/1 finish/);
    expect(shown).toHaveLength(4);
  });
});

test('all operations stay visible in a small window', async () => {
  const { view, lines } = terminalOf(80, 8);
  view.show([operation('a', full(1)), operation('b', { success: 1 }, 1), operation('c', full(1))]);
  view.done();
  expect((await lines()).map((line) => line[0])).toEqual(['a', 'b', 'c']);
});

test('finished operations lose their bars first', async () => {
  const { view, lines } = terminalOf(80, 6);
  view.show([operation('a', { sent: 1, pending: 1 }), operation('b', { success: 1 }, 1)]);
  view.show([
    operation('a', { sent: 1, pending: 2 }),
    operation('b', { success: 1, reboot: 1 }, 2),
  ]);
  view.done();
  const shown = await lines();
  expect(shown.map((line) => line.trim().split(' ')[0])).toEqual(['a', 'pending', 'sent', 'b']);
});

test('narrowing and widening the window leaves no remains', async () => {
  const { view, lines, resize } = terminalOf(100, 60);
  view.show([operation('r', full(100))]);
  for (const columns of [50, 120, 33, 80]) {
    resize(columns);
    view.show([operation('r', full(columns))]);
  }
  view.done();
  const shown = await lines();
  expect(shown.filter((line) => line.startsWith('r  '))).toHaveLength(1);
  expect(shown).toHaveLength(1 + STATES.length + MORE.length);
});

test('wide characters in names do not wrap, and no name can control the terminal', async () => {
  const { view, lines } = terminalOf(40, 10);
  const names = ['更新'.repeat(30), `x\u001B[2J\u009B2J\r${'y'.repeat(60)}`];
  for (let n = 0; n < 3; n++) view.show(names.map((name) => operation(name, { sent: 1 })));
  view.done();
  const shown = await lines();
  expect(shown).toHaveLength(4);
  expect(shown[2]).toMatch(/^x\?\[2J\?2J\?y+$/);
});

test('without a terminal, the view writes whole lines without control sequences', () => {
  let text = '';
  const view = progressView({ write: (more) => (text += more) });
  view.show([operation('r', { sent: 2 })]);
  view.show([operation('r', { sent: 1, success: 1 }, 1)]);
  view.done();
  expect(text).toBe(
    'r: 2 vehicles, 0 finished (0 succeeded, 0 failed): sent 2\n' +
      'r: 2 vehicles, 1 finished (1 succeeded, 0 failed): sent 1, success 1\n',
  );
});
