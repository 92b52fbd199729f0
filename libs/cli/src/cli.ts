/**
 * What a command may touch of the world around it; tests bring their own.
 * @module
 */
import { createInterface } from 'node:readline/promises';

/** The process around a command. */
export interface Cli {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that the command was called in. */
  readonly cwd: string;
  /** Writes to standard output: answers only. */
  readonly out: (text: string) => void;
  /** Writes to standard error: all the rest. */
  readonly err: (text: string) => void;
  /** Reads all of standard input. */
  readonly input: () => Promise<string>;
  /** True when a person sits in front of it. */
  readonly interactive: boolean;
  /** True when colours will be understood. */
  readonly colour: boolean;
  /** Asks the person a question. */
  readonly ask: (question: string) => Promise<string>;
  /** Takes Ctrl-C over: the signal is given when the person wants it to end. */
  readonly ending: () => AbortSignal;
}

/** The real process. */
export function thisProcess(): Cli {
  const { env, stdin, stdout, stderr } = process;
  return {
    env,
    cwd: process.cwd(),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    input: async () => {
      let text = '';
      for await (const chunk of stdin.setEncoding('utf8')) text += String(chunk);
      return text;
    },
    interactive: Boolean(stdin.isTTY && stdout.isTTY),
    colour: Boolean(stdout.isTTY) && env['NO_COLOR'] === undefined,
    ask: async (question) => {
      const dialogue = createInterface({ input: stdin, output: stderr });
      try {
        return await dialogue.question(question);
      } finally {
        dialogue.close();
      }
    },
    ending: () => {
      const ending = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
      return ending.signal;
    },
  };
}

/** Asks before something that cannot be undone; nobody there to ask means yes, since a script said what it wants. */
export async function confirmed(cli: Cli, question: string): Promise<boolean> {
  return !cli.interactive || /^y(es)?$/i.test((await cli.ask(`${question} [y/N] `)).trim());
}
