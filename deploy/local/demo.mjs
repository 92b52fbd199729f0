/** `npm run demo`: plays the worked example on the running stack. Exit 1 when anything is not as promised. */
import { narrator } from './narrator.mjs';

const ending = new AbortController();
const { tell, ask, finish } = narrator(process.stdout);

/** One sentence: what is wrong, and for what cannot be right yet what to do. */
function sentence(error) {
  if (error.name === 'NotAsPromised') return `NOT AS PROMISED: ${error.message}`;
  return error.code === 'ERR_MODULE_NOT_FOUND' ? 'Mayfly is not built yet: run npm start, in another terminal' : error.message;
}

try {
  // Loaded late: in a fresh clone there is nothing to load yet.
  const { play } = await import('./demo-story.mjs');
  await play({ tell, ask }, ending.signal);
  finish();
  ending.abort();
} catch (error) {
  console.error(sentence(error));
  process.exit(1); // whatever is still open
}
