/** An update script as typed in a form, and as sent. Pure. */
import { type StoredArtifact } from '../../contract/carota-api/index.js';
import { type UpdateScript } from '../../contract/update-script/index.js';
import { given, words } from '../format/given.js';
import { numberOf } from '../format/number-text.js';

export interface EcuForm {
  readonly ecu: string;
  readonly version: string;
  /** SHA-256 of the artifact. */
  readonly artifact: string;
  readonly from: string;
  readonly after: string;
}

export interface ScriptForm {
  readonly refId: string;
  readonly model: string;
  readonly ecus: readonly EcuForm[];
  readonly consent: string;
  readonly consentTimeout: string;
  readonly battery: string;
  readonly gear: string;
  readonly ignition: string;
  readonly waiting: string;
  readonly from: string;
  readonly to: string;
  readonly rollback: boolean;
  readonly downgrade: boolean;
}

export const EMPTY_ECU: EcuForm = { ecu: '', version: '', artifact: '', from: '', after: '' };

export const EMPTY_SCRIPT: ScriptForm = {
  refId: '',
  model: '',
  ecus: [EMPTY_ECU],
  consent: '',
  consentTimeout: '',
  battery: '',
  gear: '',
  ignition: '',
  waiting: '',
  from: '',
  to: '',
  rollback: true,
  downgrade: false,
};

const listOf = (text: string): string[] | undefined => {
  const list = words(text);
  return list.length === 0 ? undefined : list;
};

/** Empty fields are left out, so that the server reports them. */
export function scriptOf(form: ScriptForm, artifacts: readonly StoredArtifact[]): UpdateScript {
  const preconditions = given({
    battery: numberOf(form.battery),
    gear: form.gear,
    ignition: form.ignition,
    timeout: numberOf(form.waiting),
  });
  return {
    version: 'v1',
    ...given({ 'script-ref-id': form.refId.trim(), model: form.model.trim() }),
    ecus: form.ecus.map(({ ecu, version, artifact, from, after }) => {
      const chosen = artifacts.find(({ sha256 }) => sha256 === artifact);
      return given({
        ecu: ecu.trim(),
        version: version.trim(),
        artifact: chosen && { sha256: chosen.sha256, md5: chosen.md5, size: chosen.size },
        from: listOf(from),
        after: listOf(after),
      });
    }),
    ...(form.consent === ''
      ? {}
      : { consent: { text: form.consent, ...given({ timeout: numberOf(form.consentTimeout) }) } }),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
    ...(form.from === '' && form.to === '' ? {} : { window: { from: form.from, to: form.to } }),
    ...(form.rollback ? {} : { rollback: false }),
    ...(form.downgrade ? { downgrade: true } : {}),
  } as UpdateScript;
}
