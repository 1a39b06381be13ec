/** The quickstart in a foreign terminal: tmux, if installed. A quick run takes the small one. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually } from '../support/adapter.js';
import { isFullDepth } from '../support/depth.js';
import { isInstalled, temporaryDirectory } from '../support/servers.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasTmux = await isInstalled('tmux', 'apt-get install tmux');

const SMALL = [80, 24] as const;
const LARGE = [120, 50] as const;

test.runIf(hasTmux && isFullDepth).each([SMALL, LARGE])(
  'the quickstart’s screen at %i × %i shows each operation once',
  { timeout: 240_000 },
  async (columns, rows) => {
    const directory = temporaryDirectory('terminal');
    // A separate tmux server, so that the user's own sessions are not touched.
    const socket = join(directory, 'tmux');
    const tmux = (...args: string[]) =>
      execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
    const ports = ['--http-port', '0', '--mqtt-port', '0', '--carota-port', '0'];
    const quickstart = ['quickstart', '--data-dir', join(directory, 'data'), ...ports];
    const command = [process.execPath, MAIN, ...quickstart, '--vehicles', '40', '--speed', '600'];
    const size = ['-x', String(columns), '-y', String(rows)];
    tmux('new-session', '-d', '-s', 'otaops', ...size, ...command);
    try {
      const screen = () =>
        Promise.resolve(tmux('capture-pane', '-p', '-S', '-1000', '-t', 'otaops'));
      await eventually(screen, (text) => text.includes('Starting the OTA Adapter'), 60_000);
      await eventually(screen, (text) => /^schedule 0911 {2}\d\/\d finished/m.test(text), 90_000);
      const text = await eventually(
        screen,
        (shown) => shown.includes('Press Ctrl-C to stop'),
        90_000,
      );
      const lines = text.split('\n');
      for (const refId of ['schedule 0909', 'schedule 0910', 'schedule 0911']) {
        expect(
          lines.filter((line) => line.startsWith(`${refId}  `)),
          text,
        ).toHaveLength(1);
      }
      expect(text).toMatch(/^schedule 0911 {2}4\/4 finished, 3 succeeded/m);
      // Transient messages are gone.
      expect(lines.filter((line) => /^ {2}(downloading|pending) /.test(line))).toEqual([]);
      tmux('send-keys', '-t', 'otaops', 'C-c');
      await eventually(
        () => Promise.resolve(isRunning(tmux)),
        (running) => !running,
      );
    } finally {
      try {
        tmux('kill-server');
      } catch {
        // tmux exits with its last session.
      }
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

function isRunning(tmux: (...args: string[]) => string): boolean {
  try {
    return tmux('list-sessions').includes('otaops');
  } catch {
    return false;
  }
}
