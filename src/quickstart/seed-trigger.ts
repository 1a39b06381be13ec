/** The seed's own trigger, made valid JSON; nothing else is changed. */
import { type CarOtaServerEvent } from '../contract/index.js';

export const SEED_TRIGGER: CarOtaServerEvent = {
  time: 1625660275379,
  version: 'v1',
  body: {
    model: 'vehicle model a',
    'ref-id': 'schedule 0909',
    'script-ref-id': 'hu only 001',
    vins: ['5YJSA1E40FF345678', '5YJSA1E40FF345679'],
  },
};
