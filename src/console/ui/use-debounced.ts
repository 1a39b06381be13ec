import { useEffect, useRef } from 'react';

const PAUSE_MS = 250;

/** Calls back when a value has not changed for a moment, so that typing does not send a request per letter. */
export function useDebounced(value: string, onPause: (value: string) => void): void {
  const latest = useRef(onPause);
  useEffect(() => {
    latest.current = onPause;
  });
  useEffect(() => {
    const timer = setTimeout(() => latest.current(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
}
