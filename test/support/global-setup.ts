/** One private PostgreSQL for the whole run. */
import type { TestProject } from 'vitest/node';
import { startPostgres } from './servers.js';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string | null;
  }
}

export default async function setup(project: TestProject) {
  const postgres = await startPostgres();
  project.provide('postgresUrl', postgres?.url ?? null);
  return () => postgres?.stop();
}
