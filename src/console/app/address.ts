/** Addresses of pages, and their parts. A ref-id may contain any character, encoded. */
import { useSearchParams, useLocation } from 'wouter';

const BASE = '/console';

/** A part of the path, decoded once. @param place 0 = the first after `/console/` */
export function usePathPart(place: number): string {
  // Subscribes to changes of the address; the router's own path is already partly decoded.
  useLocation();
  const part = location.pathname.slice(BASE.length + 1).split('/')[place] ?? '';
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Filters in the address, so that they can be shared; empty: not set. */
export function useFilters<Name extends string>(
  ...names: readonly Name[]
): [Readonly<Record<Name, string>>, (changes: Partial<Record<Name, string>>) => void] {
  const [search, setSearch] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Record<
    Name,
    string
  >;
  const change = (changes: Partial<Record<Name, string>>) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries<string | undefined>(changes)) {
          if (value === undefined || value === '') next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  return [values, change];
}

/** Address of an operation's page. */
export const operationAt = (refId: string) => `/operations/${encodeURIComponent(refId)}`;

export const tableAt = (refId: string, filter: Readonly<Record<string, string>> = {}) => {
  const search = new URLSearchParams(filter).toString();
  return `${operationAt(refId)}/vehicles${search === '' ? '' : `?${search}`}`;
};

export const vehicleAt = (vin: string) => `/vehicles/${encodeURIComponent(vin)}`;

export const scheduleAt = (refId: string) => `/schedules/${encodeURIComponent(refId)}`;

export const scriptAt = (refId: string) => `/scripts/${encodeURIComponent(refId)}`;
