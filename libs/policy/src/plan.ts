/**
 * The sum of a forecast, in a space that does not grow with what was looked at.
 * @module
 */

/** Whom a line of a plan is about. */
export interface About {
  readonly agent: string;
  /** Absent for tasks that nobody started. */
  readonly initiator?: string | undefined;
  readonly capability: string;
}

/** One line of a plan. */
export interface PlanRow extends About {
  /** Why: codes of the decisions by the new set. */
  readonly reasons: readonly string[];
  /** Policies of the new set that determined them. */
  readonly policies: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Some of a plan's lines, and the sum of all. */
export interface PlanTable {
  readonly total: Readonly<Record<string, number>>;
  readonly rows: readonly PlanRow[];
  /** True when there are more lines than are shown; the sum counts them all. */
  readonly more: boolean;
}

/** Lines that are kept of one table; a person reads no more, and a machine has the stream. */
const MOST_ROWS = 500;
const MOST_NAMES = 8;

/** Sums up one table of a plan. */
export class PlanSum {
  readonly #rows = new Map<string, { about: About; reasons: Set<string>; policies: Set<string>; counts: Record<string, number> }>();
  readonly #total: Record<string, number>;
  #more = false;

  /** @param names of what is counted, in the order in which it is shown */
  constructor(private readonly names: readonly string[]) {
    this.#total = zero(names);
  }

  /** Counts something that is not of one line: whole grants. */
  addToTotal(name: string, count = 1): void {
    this.#total[name] = (this.#total[name] ?? 0) + count;
  }

  /** Counts into the line that this is about, and into the sum. */
  add(
    about: About,
    why: { readonly reasons: readonly string[]; readonly policies: readonly string[] },
    counts: Readonly<Record<string, number>>,
  ): void {
    for (const [name, count] of Object.entries(counts)) this.addToTotal(name, count);
    const row = this.#row(about);
    if (!row) return;
    for (const [name, count] of Object.entries(counts)) row.counts[name] = (row.counts[name] ?? 0) + count;
    for (const reason of why.reasons) if (row.reasons.size < MOST_NAMES) row.reasons.add(reason);
    for (const policy of why.policies) if (row.policies.size < MOST_NAMES) row.policies.add(policy);
  }

  /** What has come together, the most first. */
  table(): PlanTable {
    const first = this.names[0] ?? '';
    const rows = [...this.#rows.values()]
      .sort((a, b) => (b.counts[first] ?? 0) - (a.counts[first] ?? 0) || nameOf(a.about).localeCompare(nameOf(b.about)))
      .map(({ about, reasons, policies, counts }) => ({ ...about, reasons: [...reasons], policies: [...policies], counts }));
    return { total: this.#total, rows, more: this.#more };
  }

  #row(about: About) {
    const name = nameOf(about);
    const known = this.#rows.get(name);
    if (known) return known;
    if (this.#rows.size >= MOST_ROWS) {
      this.#more = true;
      return undefined;
    }
    const row = { about, reasons: new Set<string>(), policies: new Set<string>(), counts: zero(this.names) };
    this.#rows.set(name, row);
    return row;
  }
}

const zero = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]));
const nameOf = ({ agent, initiator, capability }: About): string => JSON.stringify([agent, initiator, capability]);
