/**
 * Every name that leaves as telemetry: spans, attributes, metrics. `docs/telemetry.md` lists them and a test
 * compares the two. Names without `mayfly` come from the OpenTelemetry semantic conventions.
 * @module
 */

/** Spans whose name never varies. */
export const SPANS = {
  decide: 'mayfly.decide',
  openGrant: 'mayfly.grant.open',
  closeGrant: 'mayfly.grant.close',
  createTaskToken: 'mayfly.task_token.create',
  replaceTaskToken: 'mayfly.task_token.replace',
  mint: 'mayfly.mint',
  deliver: 'mayfly.deliver',
  evaluate: 'mayfly.evaluate',
  verifyIdentity: 'mayfly.identity.verify',
  revoke: 'mayfly.revoke',
  confirm: 'mayfly.confirm',
  probe: 'mayfly.probe',
  quarantine: 'mayfly.quarantine',
  reconcile: 'mayfly.reconcile',
  redecide: 'mayfly.redecide',
  appendEvidence: 'mayfly.evidence.append',
} as const;

/** Spans whose name ends in what they are about. The argument is a bounded name, never an id. */
export const SPAN_PATTERNS = {
  /** Writing records to a topic. */
  send: (topic: string) => `send ${topic}`,
  /** Handling one record of a topic. */
  process: (topic: string) => `process ${topic}`,
  /** Serving one HTTP request; without a matched route only its method. */
  serve: (method: string, route?: string) => (route ? `${method} ${route}` : method),
  /** One call of the secrets engine, for example `vault auth/token/create`. */
  vault: (operation: string) => `vault ${operation}`,
  /** One statement or transaction of the ledger, for example `db transition`. */
  database: (operation: string) => `db ${operation}`,
} as const;

/** Attributes of spans and labels of metrics. */
export const ATTRIBUTES = {
  taskId: 'mayfly.task.id',
  grantId: 'mayfly.grant.id',
  leaseRef: 'mayfly.lease.ref',
  credential: 'mayfly.credential',
  capability: 'mayfly.capability',
  engine: 'mayfly.engine',
  shape: 'mayfly.shape',
  agent: 'mayfly.agent',
  tenant: 'mayfly.tenant',
  workflow: 'mayfly.workflow',
  decision: 'mayfly.decision',
  decisionId: 'mayfly.decision.id',
  policyDigest: 'mayfly.policy.digest',
  policy: 'mayfly.policy',
  cause: 'mayfly.cause',
  drift: 'mayfly.drift',
  proof: 'mayfly.proof',
  reason: 'mayfly.reason',
  quota: 'mayfly.quota',
  quotaScope: 'mayfly.quota.scope',
  outcome: 'mayfly.outcome',
  state: 'mayfly.state',
  attempt: 'mayfly.attempt',

  errorType: 'error.type',

  messagingSystem: 'messaging.system',
  messagingOperation: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingPartition: 'messaging.destination.partition.id',
  messagingConsumerGroup: 'messaging.consumer.group.name',
  messagingClientId: 'messaging.client.id',
  messagingBatchCount: 'messaging.batch.message_count',
  messagingMessageId: 'messaging.message.id',
  messagingKey: 'messaging.kafka.message.key',
  messagingOffset: 'messaging.kafka.offset',
  messagingTombstone: 'messaging.kafka.message.tombstone',

  eventId: 'cloudevents.event_id',
  eventSource: 'cloudevents.event_source',
  eventSpecVersion: 'cloudevents.event_spec_version',
  eventSubject: 'cloudevents.event_subject',
  eventType: 'cloudevents.event_type',

  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  httpResend: 'http.request.resend_count',
  urlPath: 'url.path',
  urlScheme: 'url.scheme',
  urlFull: 'url.full',
  urlTemplate: 'url.template',
  serverAddress: 'server.address',
  serverPort: 'server.port',

  dbSystem: 'db.system.name',
  dbNamespace: 'db.namespace',
  dbOperation: 'db.operation.name',
  dbCollection: 'db.collection.name',
  dbQuerySummary: 'db.query.summary',
  dbStatus: 'db.response.status_code',
} as const;
/** One of {@link ATTRIBUTES}. */
export type AttributeName = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES];
/** Attributes by their full name. What is undefined is left out. Never a token, accessor, lease id or password. */
export type Attributes = Readonly<Partial<Record<AttributeName, string | number | boolean | undefined>>>;

/** What an instrument is called and what it counts. */
export interface Metric<Kind extends 'counter' | 'histogram' | 'gauge' = 'counter' | 'histogram' | 'gauge'> {
  readonly kind: Kind;
  readonly name: string;
  /** UCUM unit: `s` seconds, `{thing}` a count of things. */
  readonly unit: string;
  readonly description: string;
}

const counter = (name: string, unit: string, description: string): Metric<'counter'> => ({ kind: 'counter', name, unit, description });
const histogram = (name: string, description: string): Metric<'histogram'> => ({ kind: 'histogram', name, unit: 's', description });
const gauge = (name: string, unit: string, description: string): Metric<'gauge'> => ({ kind: 'gauge', name, unit, description });

/** Every instrument. Durations are in seconds. */
export const METRICS = {
  httpServerDuration: histogram('http.server.request.duration', 'how long HTTP requests took'),
  httpClientDuration: histogram('http.client.request.duration', 'how long calls to the secrets engine took'),
  vaultCallsInFlight: gauge('mayfly.vault.calls.in_flight', '{call}', 'calls to the secrets engine that wait for their answer'),
  vaultCallsWaiting: gauge('mayfly.vault.calls.waiting', '{call}', 'callers that wait for a place among them'),
  vaultCallsLimit: gauge(
    'mayfly.vault.calls.limit',
    '{call}',
    'how many calls may be in flight now; less than set while the engine is overloaded',
  ),
  dbDuration: histogram('db.client.operation.duration', 'how long calls to the ledger took'),
  sendDuration: histogram('messaging.client.operation.duration', 'how long sending records took'),
  sentMessages: counter('messaging.client.sent.messages', '{message}', 'records sent'),
  consumedMessages: counter('messaging.client.consumed.messages', '{message}', 'records taken in, once per delivery'),
  processDuration: histogram('messaging.process.duration', 'how long handling one record took, all its tries together'),

  deadLetters: counter('mayfly.kafka.dead_letters', '{message}', 'records parked, by reason'),
  suspiciousEvents: counter('mayfly.events.suspicious', '{event}', 'forged, replayed or contradicting events, refused, by reason'),
  tombstones: counter('mayfly.kafka.tombstones', '{message}', 'records without a value, ignored'),
  handlerRetries: counter('mayfly.kafka.retries', '{retry}', 'repeated tries of a handler'),
  handlersHung: counter('mayfly.kafka.handlers_hung', '{try}', 'tries of a handler that did not end in time and were left behind'),
  outboxLag: gauge('mayfly.outbox.lag', 's', 'age of the oldest event that waits in the outbox'),
  outboxPublished: counter('mayfly.outbox.published', '{event}', 'events that left the outbox'),
  outboxFailures: counter('mayfly.outbox.failures', '{failure}', 'rounds of the outbox that failed and are tried again'),

  decisions: counter('mayfly.decisions', '{decision}', 'policy decisions, by outcome'),
  shadowDecisions: counter(
    'mayfly.decisions.shadow',
    '{decision}',
    'what policies in shadow mode would have decided, by policy and outcome',
  ),
  pdpFailures: counter('mayfly.pdp.failures', '{decision}', 'decisions that a remote decider did not make, by reason'),
  decisionDuration: histogram('mayfly.decision.duration', 'how long one policy decision took'),
  calls: counter('mayfly.calls', '{call}', 'tool calls asked about, by decision and reason'),
  escalationAttempts: counter('mayfly.escalation_attempts', '{call}', 'tool calls off the plan of their task, by workflow'),
  behaviourSteps: counter('mayfly.behaviour.steps', '{step}', 'steps that tasks took up the ladder of behaviour, by state and workflow'),
  quotaRefusals: counter(
    'mayfly.quota.refusals',
    '{refusal}',
    'starts and fetches refused because a quota was used up, by quota and scope',
  ),
  breakerTrips: counter('mayfly.breaker.trips', '{trip}', 'breakers that opened because a workflow crashed again and again'),
  breakerRefusals: counter('mayfly.breaker.refusals', '{refusal}', 'starts refused by an open breaker'),
  mints: counter('mayfly.mints', '{lease}', 'credentials minted or failed, by capability and outcome'),
  mintDuration: histogram('mayfly.mint.duration', 'how long minting one credential took'),
  tokensReplaced: counter(
    'mayfly.task_tokens.replaced',
    '{token}',
    'task tokens whose place another one took (narrowed, widened), and tries that failed, by outcome',
  ),
  deliveries: counter('mayfly.deliveries', '{delivery}', 'credentials handed out or refused, by outcome'),
  revocations: counter('mayfly.revocations', '{lease}', 'credentials whose end was confirmed, by cause'),
  revocationDuration: histogram('mayfly.revocation.duration', 'from the request of a revocation to its confirmation'),
  revocationsOpen: gauge('mayfly.revocations.open', '{lease}', 'credentials whose end is asked for and not confirmed'),
  revocationsStuck: gauge('mayfly.revocations.stuck', '{lease}', 'credentials that resist their revocation; a person should look'),
  revocationsOldest: gauge('mayfly.revocations.oldest', 's', 'age of the oldest request to revoke that is not confirmed'),
  secretsTainted: counter('mayfly.secrets.tainted', '{lease}', 'stored objects that a stopped task had read, by capability and cause'),
  quarantines: counter('mayfly.quarantines', '{lease}', 'credentials ended at the target itself, by reason'),
  grantsLive: gauge('mayfly.grants.live', '{grant}', 'grants that are not closed'),
  vaultDrift: gauge(
    'mayfly.vault.drift',
    '{capability}',
    'whether a capability is in Vault not what the catalogue declares (1), by capability',
  ),
  vaultCompareAge: gauge('mayfly.vault.compare.age', 's', 'since everything that the catalogue declares of Vault was last compared'),
  orphansFound: counter('mayfly.orphans.found', '{principal}', 'what was found at a target or in Vault without explanation'),
  reconcilerAge: gauge('mayfly.reconciler.age', 's', 'since everything that can be listed was last walked'),
  leasesIrrevocable: gauge('mayfly.leases.irrevocable', '{lease}', 'leases that the secrets engine has given up on'),
  clockEnds: counter('mayfly.clock.ends', '{end}', 'grants and leases ended by the clock, by cause'),
  securityEvents: counter('mayfly.security_events', '{event}', 'security event tokens that were taken in, by outcome'),
  redecisions: counter(
    'mayfly.redecisions',
    '{grant}',
    'live grants that a change was about, by outcome: lost, kept, or spared a decision',
  ),
  policySwitches: counter('mayfly.policy.switches', '{switch}', 'changes of the policy set in force, by outcome: applied or rolled back'),
  planDuration: histogram('mayfly.policy.plan.duration', 'how long planning a policy set took'),
  ordersOpen: gauge('mayfly.revocation.orders.open', '{order}', 'kill switches that are not dark yet'),
  orderPages: counter('mayfly.revocation.order.pages', '{page}', 'rounds of carrying out kill switches'),
  orderDuration: histogram('mayfly.revocation.order.duration', 'from a kill switch to the last confirmed death'),
  evidenceRecords: counter('mayfly.evidence.records', '{record}', 'records appended to the evidence log'),
  evidenceFaults: counter('mayfly.evidence.faults', '{record}', 'records that the check found altered'),

  spansLost: counter('mayfly.telemetry.spans_lost', '{span}', 'spans that could not be exported'),
} as const;
