/**
 * Paths of calls, from a template and what fills it. Vault decodes nothing that we send here, but it does clean paths:
 * a `..` would leave the prefix that a policy or a template promises, so such a segment is never sent.
 * @module
 */
import { InvalidRequest } from '@mayfly/domain';

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/;
const PLACE = /\{(\+?)([a-zA-Z]+)\}/g;

/**
 * Fills a template, for example `database/creds/{role}`. `{name}` takes one segment, `{+name}` several (RFC 6570, simple and reserved expansion,
 * without percent-encoding: what would need it is refused).
 * @throws InvalidRequest when a value is missing or the path has a segment that could climb or hide a slash
 */
export function fillPath(template: string, values: Readonly<Record<string, string>> = {}): string {
  const path = template.replaceAll(PLACE, (_, several: string, name: string) => {
    const value = values[name];
    if (value === undefined || (!several && value.includes('/'))) throw unusable(template);
    return value;
  });
  if (!path.split('/').every((segment) => SEGMENT.test(segment) && !segment.includes('..'))) throw unusable(template);
  return path;
}

const unusable = (template: string): InvalidRequest =>
  new InvalidRequest(`a name in the path \`${template}\` may only have letters, digits and . _ : - without ".."`);
