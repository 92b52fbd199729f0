/**
 * Settings that Mayfly does not have. One that is misspelt would otherwise be as good as not set, and nobody would know.
 * @module
 */

/** Names that begin like this are meant for Mayfly. */
const STEMS = ['MAYFLY_', 'KAFKA_', 'VAULT_', 'DATABASE_', 'ORPHAN_'];
/** Kubernetes announces its own services to every container: `KAFKA_SERVICE_HOST`, `VAULT_PORT_8200_TCP_ADDR`. */
const ANNOUNCED = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;
/** Settings of one service that others may be given too, and what tells processes apart for whoever looks at them. */
const OF_SOME = ['MAYFLY_SERVICE', 'MAYFLY_TRUST_FILE', 'MAYFLY_TARGETS_FILE', 'ORPHAN_AFTER_SECONDS'];

/**
 * Sentences about names in the environment that are meant for Mayfly and unknown to it, or differ from a known one by one letter.
 * @param known names of settings beside those that only some services have
 */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>, known: readonly string[]): string[] {
  const names = new Set([...known, ...OF_SOME]);
  return Object.keys(env)
    .filter((name) => !names.has(name) && !ANNOUNCED.test(name))
    .flatMap((name) => {
      const meant = [...names].find((other) => isNear(name, other));
      if (!meant && !STEMS.some((stem) => name.startsWith(stem))) return [];
      return [`${name} is no setting of Mayfly${meant ? `; did you mean ${meant}?` : ''}`];
    });
}

/** True when one letter too many, too few, wrong, or in its neighbour's place makes the difference; case is none. */
function isNear(name: string, other: string): boolean {
  const [a, b] = [name.toUpperCase(), other];
  if (a === b) return true;
  let from = 0;
  while (from < a.length && a[from] === b[from]) from += 1;
  const rest = (text: string, at: number): string => text.slice(at);
  return (
    rest(a, from + 1) === rest(b, from + 1) ||
    rest(a, from + 1) === rest(b, from) ||
    rest(a, from) === rest(b, from + 1) ||
    (a[from] === b[from + 1] && a[from + 1] === b[from] && rest(a, from + 2) === rest(b, from + 2))
  );
}
