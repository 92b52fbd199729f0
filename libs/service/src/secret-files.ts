/**
 * Files that settings name: who may read them, and who may change them.
 * @module
 */
import { statSync } from 'node:fs';

const BY_OTHERS = { read: 0o004, write: 0o002 };

/**
 * Sentences about files that are open to more than their owner and group, or empty. One that is not there yet is no fault: an identity may
 * be written later.
 * @param secret files that hold a secret: nobody else may read them
 * @param trusted files that decide whom to believe: nobody else may write them
 */
export function openFiles(secret: Readonly<Record<string, string>>, trusted: Readonly<Record<string, string>>): string[] {
  return [
    ...Object.entries(secret).flatMap(([name, path]) => {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isFile() && found.size === 0) return [`the file of ${name} is empty`];
      return isOpen(found?.mode, BY_OTHERS.read | BY_OTHERS.write) ? [`everybody may read the file of ${name}; set its mode to 0600`] : [];
    }),
    ...Object.entries(trusted).flatMap(([name, path]) =>
      isOpen(statSync(path, { throwIfNoEntry: false })?.mode, BY_OTHERS.write)
        ? [`everybody may write the file of ${name}; set its mode to 0644`]
        : [],
    ),
  ];
}

/** Windows has no such bits. */
const isOpen = (mode: number | undefined, bits: number): boolean =>
  mode !== undefined && process.platform !== 'win32' && (mode & bits) !== 0;
