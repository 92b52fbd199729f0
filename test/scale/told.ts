import type { Told } from './scenarios.ts';

const shown = (value: number | string): string =>
  typeof value === 'string' ? value : value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10);

/** A scenario or a size as people read it, and as docs/scale.md quotes it. */
export const told = ({ name, figures }: Told): string =>
  `${name}\n  ${Object.entries(figures)
    .map(([what, value]) => `${what} ${shown(value)}`)
    .join(' · ')}`;
