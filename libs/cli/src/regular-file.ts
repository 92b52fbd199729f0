/**
 * Reading what a user names, without waiting for ever.
 * @module
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The text of a regular file, UTF-8; undefined for everything else: nothing there, a folder, a named pipe, a device. */
export async function readRegularFile(path: string): Promise<string | undefined> {
  try {
    // Without O_NONBLOCK opening a named pipe waits until somebody writes into it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return (await file.stat()).isFile() ? await file.readFile('utf8') : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
