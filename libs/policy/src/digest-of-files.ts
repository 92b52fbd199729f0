/**
 * One digest for a folder of files.
 * @module
 */
import { digestOf } from '@mayfly/domain';
import type { PolicyFiles } from './policy-set.js';

/**
 * SHA-256 over the RFC 8785 form of `{ path: text }`, as `sha256:` and hex: the same files have the
 * same digest in whatever order they were read, and no two different sets can share one by moving
 * bytes between a name and a text.
 */
export const digestOfFiles = (files: PolicyFiles): string => digestOf(files);
