/** Types of what tests and tools use of layout.mjs; the words stand there. */
export const cache: string;
export const root: string;
