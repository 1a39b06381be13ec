/** Numbers in readable form. */
const INTEGER = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const count = (value: number): string => INTEGER.format(value);

/** `1 vehicle`, `1,234 vehicles`. */
export const vehicles = (value: number): string => plural(value, 'vehicle');

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

export const rate = (value: number): string =>
  value >= 100 ? INTEGER.format(Math.round(value)) : SHORT.format(value);

/** A share in percent. 100 % is shown only for all, and 0 % only for none. */
export function percent(part: number, total: number): string {
  if (total === 0) return '–';
  const value = (part / total) * 100;
  if (part > 0 && value < 0.1) return '< 0.1 %';
  if (part < total && value > 99.9) return '> 99.9 %';
  return `${SHORT.format(value)} %`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** @param value bytes */
export function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${SHORT.format(value / 1000 ** power)} ${UNITS[power] ?? 'B'}`;
}

/** @param seconds not negative */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${SHORT.format(seconds)} s`;
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}
