/** Types of wires.mjs; the words stand there. */
export interface Wire {
  cut(): Promise<void>;
  slow(ms: number): Promise<void>;
  hang(): Promise<void>;
  reset(): Promise<void>;
  limitData(bytes: number): Promise<void>;
  lead(port: number): Promise<void>;
  mend(): Promise<void>;
}

export function connectWires(url: string): (name: string) => Wire;
