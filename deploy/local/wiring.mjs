/** Which wires a stack with `wires: true` has, and what is reached through which of them. */
import { HOST } from './ports.mjs';
import { SERVICES } from './services.mjs';
import * as toxiproxy from './servers/toxiproxy.mjs';

const NAMED = ['KAFKA_BROKERS', 'VAULT_ADDR', 'DATABASE_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'ZIPKIN_ENDPOINT'];

/** A stack without wires: everything is reached directly. */
export const direct = { through: (_wire, address) => address };

/**
 * Puts Toxiproxy between Mayfly's services and what they stand on. Tests and Mayfly's tools go on reaching the servers directly.
 *
 * | wire                 | from → to                                             |
 * | -------------------- | ----------------------------------------------------- |
 * | `vault.<service>`    | one service → Vault                                   |
 * | `postgres.<service>` | one service → the ledger                              |
 * | `kafka`              | all services → Kafka                                  |
 * | `identity`           | delivery, console → the key sets whom they trust      |
 * | `zipkin`             | all services → the trace store                        |
 * | `target`             | revoker → the target (looking, quarantine)            |
 * | `engine`             | Vault → the target (making and ending database users) |
 *
 * @returns `{ url, through(wire, address), kafka: { listen, advertised } }`: `through` gives the address to use instead
 * @throws Error when the environment names a server that is not ours
 */
export async function withWires({ ports, up }, kafkaPort) {
  const foreign = NAMED.filter((name) => process.env[name]);
  if (foreign.length > 0) throw new Error(`wires lead to this stack's own servers only; unset ${foreign.join(', ')}`);
  const each = (server, port) => SERVICES.map((service) => [`${server}.${service}`, port]);
  const { url, listening } = await up(toxiproxy, {
    wires: {
      ...Object.fromEntries([...each('vault', ports.openbao), ...each('postgres', ports.postgres)]),
      kafka: kafkaPort,
      identity: ports.identity,
      zipkin: ports.zipkin,
      target: ports.postgres,
      engine: ports.postgres,
    },
  });
  return {
    url,
    through: (wire, address) => address.replace(/:\d+(?=\/|$)/, `:${listening[wire]}`),
    // Kafka tells its clients where to come back to, so what is reached through a wire needs a listener that names the wire.
    kafka: { listen: `${HOST}:${kafkaPort}`, advertised: `${HOST}:${listening.kafka}` },
  };
}
