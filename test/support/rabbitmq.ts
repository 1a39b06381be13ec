/** A RabbitMQ cluster of private nodes on loopback: own ports, own epmd, own folders. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, ProgramMissing } from '../../src/test-bed/index.js';
import { freePort, temporaryDirectory } from './servers.js';

const BIN = '/usr/lib/rabbitmq/bin';
const START_MS = 60_000;

export interface RabbitNode {
  readonly mqttPort: number;
  /** SIGKILL, like a crash. */
  kill(): Promise<void>;
  /** Restarts it on the same port and data after {@link kill}. */
  restart(): Promise<void>;
}

export interface RabbitCluster {
  readonly nodes: readonly RabbitNode[];
  readonly mqttUrl: string;
  stop(): Promise<void>;
}

/** How many messages a queue sends to an adapter without acknowledgement. */
export const PREFETCH = 1_000;

/** Configuration from docs/deployment.md. */
const settings = (names: readonly string[], mqttPort: number) => `
loopback_users = none
mqtt.listeners.tcp.default = 127.0.0.1:${mqttPort}
mqtt.allow_anonymous = true
mqtt.durable_queue_type = quorum
mqtt.prefetch = ${PREFETCH}
mqtt.subscription_ttl = 604800000
mqtt.exchange = amq.topic
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.randomized_startup_delay_range.min = 0
cluster_formation.randomized_startup_delay_range.max = 1
cluster_name = otaops
${names.map((name, n) => `cluster_formation.classic_config.nodes.${n + 1} = ${name}`).join('\n')}
log.file.level = warning
`;

/** @throws ProgramMissing */
export async function startRabbitCluster(size = 3): Promise<RabbitCluster> {
  const server = findProgram('rabbitmq-server', [BIN]);
  const epmdProgram = findProgram('epmd');
  if (!server || !epmdProgram) {
    throw new ProgramMissing('RabbitMQ', 'apt-get install rabbitmq-server');
  }
  const directory = temporaryDirectory('rabbitmq');
  const epmdPort = String(await freePort());
  const names = Array.from({ length: size }, (_, n) => `n${n + 1}@localhost`);
  const common = {
    PATH: `${BIN}:${process.env.PATH ?? ''}`,
    HOME: directory,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: epmdPort,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: join(directory, 'none.conf'),
  };
  // All nodes share one home and hence one cookie; with separate cookies they could not connect.
  writeFileSync(join(directory, '.erlang.cookie'), 'otaopsotaopsotaops', { mode: 0o400 });
  const epmd = spawn(epmdProgram, [], { env: common, stdio: 'ignore' });
  const nodes: (RabbitNode & { child: () => ChildProcess })[] = [];
  for (const name of names) {
    const home = join(directory, name);
    mkdirSync(home);
    const mqttPort = await freePort();
    writeFileSync(join(home, 'rabbitmq.conf'), settings(names, mqttPort));
    writeFileSync(join(home, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
    const env = {
      ...common,
      RABBITMQ_NODENAME: name,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(await freePort()),
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
      RABBITMQ_LOG_BASE: join(home, 'log'),
      RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
      RABBITMQ_PID_FILE: join(home, 'pid'),
      // One scheduler per virtual machine, because three run beside the test.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none',
    };
    // In its own process group, because the program is a script around the virtual machine.
    const start = () => spawn(server, [], { env, cwd: home, stdio: 'ignore', detached: true });
    let child = start();
    nodes.push({
      mqttPort,
      child: () => child,
      async kill() {
        const exit = once(child, 'exit');
        process.kill(-(child.pid ?? 0), 'SIGKILL');
        await exit;
      },
      async restart() {
        child = start();
        await listens(mqttPort);
      },
    });
    if (nodes.length === 1) await listens(mqttPort);
  }
  await Promise.all(nodes.map(({ mqttPort }) => listens(mqttPort)));
  return {
    nodes,
    mqttUrl: `mqtt://${nodes.map(({ mqttPort }) => `127.0.0.1:${mqttPort}`).join(',')}`,
    async stop() {
      await Promise.all(
        nodes
          .filter(({ child }) => child().exitCode === null && child().signalCode === null)
          .map((node) => node.kill()),
      );
      const exit = once(epmd, 'exit');
      epmd.kill();
      await exit;
      // A killed node's helpers may still write.
      rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

async function listens(port: number): Promise<void> {
  const deadline = Date.now() + START_MS;
  const accepts = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  while (!(await accepts())) {
    if (Date.now() > deadline) throw new Error('RabbitMQ did not come up');
    await sleep(200);
  }
}
