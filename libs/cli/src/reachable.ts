/**
 * Does anybody listen there?
 * @module
 */
import { connect } from 'node:net';

const PATIENCE_MS = 3_000;

/** True when at least one of the `host:port` takes a connection. */
export const anyReachable = async (brokers: readonly string[]): Promise<boolean> =>
  (await Promise.all(brokers.map(reachable))).includes(true);

function reachable(broker: string): Promise<boolean> {
  const [, host = broker, port = '9092'] = /^(.+):(\d+)$/.exec(broker.trim()) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: PATIENCE_MS });
    const tell = (reached: boolean) => () => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', tell(true)).once('error', tell(false)).once('timeout', tell(false));
  });
}
