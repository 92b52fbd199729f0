/** What a child process may see of the launcher's environment: nothing that changes what it does by surprise. */
const KEPT = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];

/** A small clean environment with `more` on top. */
export function environment(more = {}) {
  const kept = KEPT.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(kept), ...more };
}
