/** Private Mosquitto brokers. */
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, temporaryDirectory } from './place.js';
import { findProgram, ProgramMissing } from './program.js';
import { type Server, startServerProcess } from './server-process.js';

/** Settings that the documentation recommends for an adapter's broker, and persistence. */
const RECOMMENDED = `
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
max_connections -1
persistence true
autosave_interval 5
set_tcp_nodelay true
log_dest none
`;

/**
 * A Mosquitto broker with the recommended settings.
 *
 * @param settings added to them
 * @throws ProgramMissing
 */
export function startMosquitto(settings = ''): Promise<Server> {
  return startMosquittoWith(
    ({ directory, port }) =>
      `listener ${port} 127.0.0.1\npersistence_location ${directory}/\n` + RECOMMENDED + settings,
  );
}

/**
 * A Mosquitto broker with its own configuration.
 *
 * @param configure returns the configuration file's text; it may write other files into the directory
 * @throws ProgramMissing
 */
export async function startMosquittoWith(
  configure: (place: { directory: string; port: number }) => string | Promise<string>,
): Promise<Server> {
  const mosquitto = findProgram('mosquitto');
  if (!mosquitto) throw new ProgramMissing('Mosquitto', 'apt-get install mosquitto');
  const directory = temporaryDirectory('mosquitto');
  // Started as root, it becomes user mosquitto, who must be able to write here.
  chmodSync(directory, 0o777);
  const port = await freePort();
  const file = join(directory, 'mosquitto.conf');
  writeFileSync(file, await configure({ directory, port }));
  return startServerProcess({
    name: 'Mosquitto',
    directory,
    port,
    url: `mqtt://127.0.0.1:${port}`,
    start: () => spawn(mosquitto, ['-c', file], { stdio: 'ignore' }),
    isReady: () => accepts(port),
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
