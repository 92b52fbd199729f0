/** Tells the demo's story: who does what, and when. Coloured on a terminal, plain otherwise. */
const COLOURS = { orchestrator: 34, agent: 36, mayfly: 35, time: 90, good: 32 };

/** @param {{ isTTY?: boolean, write(text: string): void }} output */
export function narrator(output) {
  const began = Date.now();
  const colours = Boolean(output.isTTY) && process.env.NO_COLOR === undefined;
  const paint = (colour, text) => (colours ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text);
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(2)} s`;
  return {
    /** One step of somebody: `orchestrator`, `agent` or `mayfly`. */
    tell: (who, what) => output.write(`${paint('time', seconds().padStart(8))}  ${paint(who, who.padEnd(12))}  ${what}\n`),
    /** Where to look further. */
    ask: (what, where) => output.write(`\n${' '.repeat(10)}${what.padEnd(14)}${where}`),
    finish: () => output.write(`\n\n${paint('good', `As promised, in ${seconds()}.`)}\n`),
  };
}
