/** Configuration templates: `{{NAME}}` is replaced by its value. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Writes `template` with its names filled in to `file`, readable by `mode`. Throws when a name has no value. */
export function render(template, file, values, mode = 0o600) {
  const text = readFileSync(template, 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_, name) => {
    if (values[name] === undefined) throw new Error(`${template}: no value for ${name}`);
    return String(values[name]);
  });
  writeFileSync(file, text, { mode });
}
