/** The work of each phase of the machine. */
import { type PhaseContext, type PhaseResult } from '../phase-context.js';
import { type Phase } from '../machine.js';
import { admission } from './admission.js';
import { conditions, waiting } from './conditions.js';
import { consent } from './consent.js';
import { downloading } from './downloading.js';
import { fetching } from './fetching.js';
import { checking, installing, rebooting, rollingBack } from './installing.js';
import { verifying } from './verifying.js';

export const WORK: { readonly [P in Phase]: (context: PhaseContext) => Promise<PhaseResult<P>> } = {
  fetching,
  consent,
  conditions,
  admission,
  downloading,
  verifying,
  waiting,
  installing,
  rebooting,
  checking,
  rolling_back: rollingBack,
};
