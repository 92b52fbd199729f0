/**
 * What services know of Kafka. Nothing here names a client library, so that another one can take its place.
 * @module
 */

/** A record as it was read, undecoded. */
export interface EventRecord {
  readonly topic: string;
  readonly partition: number;
  /** Decimal, since offsets do not fit a number. */
  readonly offset: string;
  readonly key: string | null;
  /** Header values as text; of a name given twice the last one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  readonly timestamp: Date;
}

/**
 * Handles one record; it is done when the promise resolves, so its effect has to be durable by then. It may be called again for
 * the same record at any time. What it throws decides: not retriable → dead letter; retriable → again after a pause, for ever;
 * unexpected (a `TypeError`) → again a few times, then dead letter with reason `handler-failed`. One that does not end is left behind at its
 * deadline, which counts as unexpected.
 */
export type HandleRecord = (record: EventRecord) => Promise<void>;

/** How a consumer is doing. */
export interface Progress {
  /** False when it has neither read nor tried to for two minutes: it hangs, and only a restart of the process helps. */
  readonly alive: boolean;
  /** True while the broker answers it: a fetch or heartbeat within the last 30 seconds. */
  readonly connected: boolean;
  /** Since it last read, handled a record, or tried to reach the broker. */
  readonly progressMillisecondsAgo: number;
}

/** What a consumer reads and how. */
export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly handle: HandleRecord;
  /** Where records go that can never be processed. */
  readonly deadLetterTopic: string;
  /** Writes the dead letters. */
  readonly producer: EventProducer;
  /**
   * Called before a record is parked; what it does is durable once it resolves. The record may come to it more than once, and is tried
   * again while it rejects.
   */
  readonly beforePark?: (record: EventRecord, why: ParkReason) => Promise<void>;
  /** Called when the consumer has ended and will not come back: end the process. */
  readonly onCrash: (error: unknown) => void;
  /** How long one try of a handler may take; default 60 000. */
  readonly handlerMilliseconds?: number;
  /** Records handled side by side at most, over all partitions; default 16. Records of one key never are. */
  readonly concurrency?: number;
  /** Larger records are parked unread; default 256 KiB. Where two groups read one topic only one should park: give the other Infinity. */
  readonly maxRecordBytes?: number;
  /** Pauses between tries; the defaults are meant for production. */
  readonly patience?: Patience;
  /** Without a heartbeat for so long the group gives the partitions to another; default 10 000. */
  readonly sessionTimeoutMilliseconds?: number;
}

/** Why a record is parked. */
export interface ParkReason {
  /** Stable code. */
  readonly reason: string;
  /** One sentence. */
  readonly detail: string;
}

/** How a failing record is tried again. */
export interface Patience {
  /** First pause; it doubles with every try. Default 100. */
  readonly firstMilliseconds: number;
  /** Longest pause. Default 10 000. */
  readonly longestMilliseconds: number;
  /**
   * Tries before an unexpected error parks the record; and before a retriable one lets its partition rest, so that the other
   * partitions are not held up. Default 5.
   */
  readonly tries: number;
}

/** Reads topics as a member of a group. */
export interface EventConsumer {
  /** Joins the group; keeps trying while Kafka or a topic is not there. */
  start(): Promise<void>;
  /** Lets what is under way finish, for at most five seconds, commits it and leaves the group. */
  stop(): Promise<void>;
  progress(): Progress;
}

/** A record to write. */
export interface OutgoingRecord {
  /** Records of one key keep their order. */
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers: RecordHeaders;
}

/** Headers as they are on the wire: bytes, and a name may be given more than once. */
export type RecordHeaders = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;
/** One header's value. */
export type HeaderValue = string | Buffer | null | undefined;

/** Writes records. */
export interface EventProducer {
  /**
   * Resolves when all in-sync replicas have the records; those of one key are in the order given.
   * @throws KafkaUnavailable when that is not known; sending them again may then double them
   * @throws RecordTooLarge when the broker refuses their size
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Sends what is under way and disconnects. */
  stop(): Promise<void>;
}

/** A cluster. */
export interface Kafka {
  consumer(options: ConsumerOptions): EventConsumer;
  /** A producer; it connects when it first sends. */
  producer(): EventProducer;
}
