/**
 * How the credentials of every engine die, by the shapes that the engine can honestly have: what is not in this table, no catalogue may claim.
 *
 * To add an engine: name it in `ENGINES` of @mayfly/domain; choose its shapes and write its reaper here (the compiler asks for it); run the
 * suite in test/conformance.ts on it, with a real server, as libs/vault/test/suites/deaths.ts does; then go on in libs/vault/src/engines/table.ts.
 * @module
 */
import type { Engine, Shape } from '@mayfly/domain';
import type { Killers } from '../ports.js';
import { database } from './database.js';
import { expiring } from './expiring.js';
import { lasting } from './lasting.js';
import { pki } from './pki.js';
import type { Reaper } from './reaper.js';

const REAPERS: Readonly<Record<Engine, Readonly<Partial<Record<Shape, (killers: Killers) => Reaper>>>>> = {
  database: { revocable: database },
  kv: { static: lasting },
  pki: { revocable: pki, 'expiry-only': expiring },
  ssh: { 'expiry-only': expiring },
  transit: { static: lasting },
};

/** What ending can mean for what an engine makes. */
export const shapesOf = (engine: Engine): readonly Shape[] => Object.keys(REAPERS[engine]) as Shape[];

/** The reaper of an engine and shape; undefined for a pair that does not exist. */
export const reaperOf = ({ engine, shape }: { readonly engine: Engine; readonly shape: Shape }, killers: Killers): Reaper | undefined =>
  REAPERS[engine][shape]?.(killers);
