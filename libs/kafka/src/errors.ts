/**
 * What can go wrong between a service and Kafka.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/**
 * Thrown by a handler to say that a record can never be processed: it goes to the dead-letter topic and the partition moves on.
 * Any other {@link MayflyError} that is not retriable does the same, with its `reason` and `detail`, or its code and sentence.
 */
export class ParkEvent extends MayflyError {
  /**
   * @param reason stable code, lower case with hyphens (header `mayfly-reason`)
   * @param detail one sentence for the person who looks at it; nothing secret (header `mayfly-detail`)
   */
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {
    super(reason, detail, 422, false);
  }
}

/** Kafka did not take or answer something in time. The same may succeed later. */
export class KafkaUnavailable extends MayflyError {
  constructor(options?: ErrorOptions) {
    super(
      'kafka-unavailable',
      'Kafka cannot be reached or did not acknowledge; try again shortly',
      503,
      true,
      { retryAfterSeconds: 2 },
      options,
    );
  }
}

/** A record is larger than the topic takes. */
export class RecordTooLarge extends MayflyError {
  constructor(options?: ErrorOptions) {
    super('record-too-large', 'the record is larger than the topic takes', 413, false, {}, options);
  }
}
