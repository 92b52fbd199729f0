import { grantsOfOffboarded } from '@mayfly/store';
import { lookAgain, type LookDependencies } from './look-again.js';

const PAGE = 100;

/**
 * Decides one page of live grants again whose initiator has left, or is back, since they were decided; returns how many. Looked at without a
 * hint too: a start that was being admitted when the signal came shows up here.
 */
export async function followOffboarded(on: LookDependencies): Promise<number> {
  const page = await grantsOfOffboarded(on.database, PAGE);
  for (const { gone, eventId, ...grant } of page)
    await lookAgain(
      on,
      grant,
      { cause: 'risk_signal', drift: 'initiator_offboarded', causeEventId: eventId },
      { initiatorOffboarded: gone },
    );
  return page.length;
}
