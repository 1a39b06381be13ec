/** The HTTP interface of the OTA Adapter (contract section 4). */
import { type Route } from '../http/index.js';
import { operationApi } from './operations.js';

export * from './operations.js';

/** All its routes, in the order of its documentation. */
export const ADAPTER_ROUTES: readonly Route[] = [...Object.values(operationApi)];
