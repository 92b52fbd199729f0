/**
 * Spans of time and counts as people write them.
 * @module
 */
import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** Seconds of `90`, `90s`, `15m`, `1h`; a minus is allowed. @throws InvalidArgumentError */
export function seconds(text: string): number {
  const [, amount, unit = 's'] = /^(-?\d+)([smh])?$/.exec(text.trim()) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Write it like 10s, 15m or 1h.');
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

/** A count from 0 on. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Write a whole number.');
  return value;
}
