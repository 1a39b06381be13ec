/** One private PostgreSQL for the whole run; each test starts a Mosquitto of its own. */
import type { TestProject } from 'vitest/node';
import { ifInstalled, isInstalled, startPostgres } from './servers.js';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string | null;
    hasMosquitto: boolean;
  }
}

export default async function setup(project: TestProject) {
  const postgres = await ifInstalled(() => startPostgres());
  project.provide('postgresUrl', postgres?.url ?? null);
  project.provide('hasMosquitto', await isInstalled('mosquitto', 'apt-get install mosquitto'));
  return () => postgres?.stop();
}
