/** Types of what tests use of layout.mjs; the words stand there. */
export const cache: string;
