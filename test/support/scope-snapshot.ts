/** Content of a database without some vehicle models: two snapshots show what a caller has changed. */
import { type Database } from '../../src/service/database/index.js';

/** @param tables by name: a query of `line` and its `model`, '' for all models */
export const snapshotOf =
  (tables: Readonly<Record<string, string>>) =>
  /** @returns sorted lines that do not belong to these models */
  async (database: Database, models: readonly string[]): Promise<string[]> => {
    const lines: string[] = [];
    for (const [table, statement] of Object.entries(tables)) {
      const rows = await database.query<{ model: string; line: string }>(statement);
      for (const { model, line } of rows) {
        if (!models.includes(model)) lines.push(`${table} ${model} ${line}`);
      }
    }
    return lines.sort();
  };
