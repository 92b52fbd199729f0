/**
 * What of a configuration counts.
 * @module
 */

const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || value === 0 || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

/**
 * The fields of a configuration that are set, without those that change by themselves. What is not set is left out: a newer server reads back
 * more fields that nobody has set, and that is no change. One that is set, or no longer set, is.
 */
export const configured = (
  configuration: Readonly<Record<string, unknown>>,
  volatile: readonly string[],
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(configuration).filter(([field, value]) => !volatile.includes(field) && !isEmpty(value)));
