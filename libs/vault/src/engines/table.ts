/**
 * All secrets engines, by the name that the catalogue uses.
 *
 * To add one: name it in `ENGINES` of @mayfly/domain; write its file here with its {@link SecretsEngine}; add it to this table (the compiler asks for it);
 * say in the public contract what its `data` looks like and which shape it can honestly have; add its mount, role and `cap-…` policy to deploy/openbao;
 * and extend the suite in test/engines.test.ts: it works while it lives, and what of it is dead afterwards.
 * @module
 */
import type { Engine } from '@mayfly/domain';
import { database } from './database.js';
import type { SecretsEngine } from './engine.js';
import { kv } from './kv.js';
import { pki } from './pki.js';
import { ssh } from './ssh.js';
import { transit } from './transit.js';

/** The engine of each name. */
export const ENGINE_TABLE: Readonly<Record<Engine, SecretsEngine>> = { database, kv, pki, ssh, transit };
