/**
 * Limits to vehicle models in SQL: the only place that decides which rows a limited caller may see (contract section 9).
 * Both servers keep the model of a vehicle in `vehicles`, so a changed model takes effect with the next read.
 */
import { type Scopes } from '../../contract/index.js';
import { textArray } from '../database/index.js';

/** Value of the parameter that the conditions below name. */
export const scopesParameter = (scopes: Scopes): string | null =>
  scopes === null ? null : textArray(scopes);

/**
 * Condition: the model is one of the caller's.
 *
 * @param model an expression, e.g. `o.model`
 * @param parameter with the {@link scopesParameter}, e.g. `$3`
 */
export const modelInScope = (model: string, parameter: string): string =>
  `(${parameter}::text[] is null or ${model} = any (${parameter}::text[]))`;

/**
 * Condition: the vehicle is registered with one of the caller's models. A vehicle that is not registered, or has no model,
 * is hidden from limited callers.
 *
 * @param vin an expression, e.g. `d.vin`
 * @param parameter with the {@link scopesParameter}
 */
export const vehicleInScope = (vin: string, parameter: string): string =>
  `(${parameter}::text[] is null or exists (
     select from vehicles scoped where scoped.vin = ${vin} and scoped.model = any (${parameter}::text[])
   ))`;
