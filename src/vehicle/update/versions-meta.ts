/** Running versions in a vehicle's report: `version:<ecu>` in the meta of success. */
import { type MetaField } from '../../contract/index.js';
import { type UpdateScript } from '../../update-script/index.js';

export const versionsMeta = ({ ecus }: UpdateScript): MetaField[] =>
  ecus.map(({ ecu, version }) => ({ key: `version:${ecu}`, value: version }));
