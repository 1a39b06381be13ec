/** Checks that an answer conforms to its route in the contract: status, error code and shape. */
import {
  type Check,
  checkOf,
  errorsOf,
  ProblemBody,
  type Route,
} from '../../src/contract/index.js';

interface GivenAnswer {
  readonly status: number;
  readonly body: unknown;
}

const checks = new WeakMap<object, Check<unknown>>();

function faultsOf(schema: Parameters<typeof checkOf>[0], body: unknown): string[] {
  const check = checks.get(schema) ?? checkOf(schema);
  checks.set(schema, check);
  return check.errors(body).map(({ path, message }) => `${path} ${message}`);
}

/** The route of a path with query; routes without parameters take precedence. */
function routeOf(routes: readonly Route[], method: string, url: string): Route | undefined {
  const [path = ''] = url.split('?');
  const candidates = routes.filter((route) => route.method === method);
  return (
    candidates.find((route) => route.path === path) ??
    candidates.find((route) =>
      new RegExp(`^${route.path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
    )
  );
}

/** @throws Error naming the route and the deviation from the contract; paths outside the contract are ignored */
export function expectAsContracted(
  routes: readonly Route[],
  method: string,
  url: string,
  { status, body }: GivenAnswer,
): void {
  const route = routeOf(routes, method, url);
  if (!route) return;
  const faults =
    status >= 400 ? problemFaults(route, status, body) : answerFaults(route, status, body);
  if (faults.length === 0) return;
  throw new Error(`${route.id} answered ${status}, and not as its contract: ${faults.join('; ')}`);
}

function problemFaults(route: Route, status: number, body: unknown): string[] {
  // Readiness reports problems with 503.
  if (route.otherAnswers?.some((other) => other.status === status))
    return answerFaults(route, status, body);
  const faults = faultsOf(ProblemBody, body);
  const { errorCode } = body as { errorCode?: string };
  const codes: readonly string[] = errorsOf(route);
  // An unknown method or path is rejected before any route.
  const isOfRoute = errorCode === 'METHOD_NOT_ALLOWED' || codes.includes(errorCode ?? '');
  return isOfRoute ? faults : [...faults, `${errorCode} is not among its errors`];
}

function answerFaults(route: Route, status: number, body: unknown): string[] {
  const { answer, otherAnswers = [] } = route;
  const declared = [answer, ...otherAnswers].find((one) => one.status === status);
  if (!declared) return ['the status is not declared'];
  if ('kind' in declared && declared.kind !== 'json') return [];
  if ('mediaType' in declared) return [];
  return declared.schema ? faultsOf(declared.schema, body) : [];
}
