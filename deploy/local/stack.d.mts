/** What TypeScript programs need to know of the launcher; see stack.mjs. */
export interface StackProcess {
  readonly name: string;
  readonly pid: number | undefined;
  /** Services only. */
  readonly port?: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
  ready(): Promise<void>;
}

export interface Stack {
  readonly dev: { readonly wires: { readonly url: string } };
  readonly processes: ReadonlyMap<string, StackProcess>;
  stop(): Promise<void>;
}

export function startStack(options: {
  readonly home: string;
  readonly replicas?: Readonly<Record<string, number>>;
  readonly failpoints?: string;
  readonly spared?: readonly string[];
  readonly nodeArguments?: readonly string[];
  readonly wires?: boolean;
  readonly signal?: AbortSignal;
}): Promise<Stack>;
