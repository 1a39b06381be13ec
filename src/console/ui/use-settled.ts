import { useEffect, useRef } from 'react';

const SETTLED_MS = 250;

/** Hears of a value when it has not changed for a moment: what is typed is not asked for letter by letter. */
export function useSettled(value: string, hear: (value: string) => void): void {
  const latest = useRef(hear);
  useEffect(() => {
    latest.current = hear;
  });
  useEffect(() => {
    const timer = setTimeout(() => latest.current(value), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [value]);
}
