/**
 * What one version of the policy set holds.
 * @module
 */
import type { Access, Capability } from '@mayfly/domain';
import type { BehaviourRule, BreakerRule, Budgets } from '@mayfly/grant';
import type { PublicKey } from '@mayfly/identity';
import type { Quotas } from './quotas.js';

/** The files of a policy set: path relative to its folder, with `/`, to text. */
export type PolicyFiles = Readonly<Record<string, string>>;

/** A workflow that an orchestrator may start. */
export interface Workflow {
  readonly name: string;
  /** Identities of the agents that may do its tasks. */
  readonly agents: readonly string[];
  /** Longest life of one of its tasks, in seconds, whatever deadline the orchestrator wishes. */
  readonly maxDurationSeconds: number;
  /** A task that is silent for so many seconds has lost its heartbeat; absent where none is expected. */
  readonly heartbeatTimeoutSeconds?: number;
  /** When its tasks crash again and again, new ones are refused for a while; absent where they never are. */
  readonly breaker?: BreakerRule;
  /** Where its tasks act, for example `production`. */
  readonly environment?: string;
  /** How much its agents do on their own, from 0 (each step is a person's) to 5 (nobody looks). */
  readonly autonomyTier?: number;
  readonly budgets?: Budgets;
  readonly behaviour?: BehaviourRule;
}

/** Who may send security event tokens (RFC 8417), and about whose tasks. */
export interface Transmitter {
  /** The `iss` of its tokens, compared character by character. */
  readonly issuer: string;
  readonly tenant: string;
  /** The `aud` that its tokens must have; absent where the installation's own name is expected. */
  readonly audience?: string;
  readonly keys: readonly PublicKey[];
}

/** Who may emit lifecycle events, and for what. */
export interface Orchestrator {
  /** CloudEvents `source`, compared character by character. */
  readonly source: string;
  readonly tenant: string;
  readonly workflows: readonly Workflow[];
  readonly quotas?: Quotas;
  /** Whether its events must be signed; one with a wrong signature never counts. */
  readonly signatures: 'required' | 'accepted';
  /** The keys that may sign for this source, and for no other. */
  readonly keys: readonly PublicKey[];
}

/** A workload that may do tasks. */
export interface Agent {
  /** Workload identity as its token proves it. */
  readonly id: string;
  readonly tenant: string;
  readonly status: 'active' | 'suspended';
  /** The person or team that answers for it. */
  readonly owner: string;
  readonly quotas?: Quotas;
}

/** One version of everything that decisions rest on. Immutable: a change is another set with another digest. */
export interface PolicySet {
  /** `sha256:…` over all files; every decision carries it. */
  readonly digest: string;
  /** The files that it was read from, to store it or send it on. */
  readonly files: PolicyFiles;
  readonly capabilities: readonly Capability[];
  readonly orchestrators: readonly Orchestrator[];
  readonly agents: readonly Agent[];
  /** People and services that left: nothing is done on their behalf, and what they answered for has no owner. */
  readonly offboarded: readonly string[];
  readonly transmitters: readonly Transmitter[];
  /** The Cedar schema's text. */
  readonly schema: string;
  /** Cedar policies that are in force by their `@id`, each with its text. */
  readonly policies: Readonly<Record<string, string>>;
  /** Cedar policies that are only tried out, `@mode("shadow")`, in the same way. */
  readonly shadowPolicies: Readonly<Record<'permit' | 'forbid', Readonly<Record<string, string>>>>;
  /** The catalogue's entry of that name. */
  capability(name: string): Capability | undefined;
  /** The orchestrator registered under that CloudEvents source. */
  orchestrator(source: string): Orchestrator | undefined;
  /** The workflow of that name that the source may start. */
  workflow(source: string, name: string): Workflow | undefined;
  /** Bounds of all that belongs to a tenant. */
  tenantQuotas(tenant: string): Quotas | undefined;
  /** The agent registered under that workload identity. */
  agent(id: string): Agent | undefined;
  /** The transmitter registered under that issuer. */
  transmitter(issuer: string): Transmitter | undefined;
  isOffboarded(id: string): boolean;
  /** What a verb of a tool does: a write, unless the catalogue says that it only reads. */
  access(tool: string, verb: string): Access;
}
